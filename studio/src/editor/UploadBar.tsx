import type { JSX } from 'preact';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { uploads } from './uploads.ts';

/** The progress of an upload, shown at the lower edge of its container. */
export function UploadBar({ asset }: { asset: Asset | undefined }): JSX.Element | null {
  const upload = uploads.value.find(({ key }) => key === asset?.upload);
  if (!upload) return null;
  const percent = Math.round(upload.share * 100);
  return (
    <span
      class="upload-bar"
      role="progressbar"
      aria-label={`Uploading ${upload.name}`}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}
