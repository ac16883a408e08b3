import type { JSX } from 'preact';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import type { Use } from '../storyboard/files.ts';
import { Button, Field, IconButton } from '../ui/controls.tsx';
import { FileTrouble } from './FileTrouble.tsx';
import { chooseFiles } from './files.ts';
import { UploadBar } from './UploadBar.tsx';
import { addressOf, failureOf, nameOf } from './uploads.ts';

/** A setting for a file, which can be chosen, changed and removed. */
export function FileField({
  id,
  use,
  label,
  hint,
  empty,
  error,
  file,
  asset,
  accept,
  onFile,
  onRemove,
}: {
  id: string;
  use: Use;
  label: string;
  hint: string;
  /** The text of the button while there is no file. */
  empty: string;
  error: string | undefined;
  /** The id of its asset. */
  file: string | undefined;
  /** Undefined if the storyboard has no asset with that id. */
  asset: Asset | undefined;
  accept: string;
  onFile(file: File): void;
  onRemove(): void;
}): JSX.Element {
  const choose = async (): Promise<void> => {
    const [chosen] = await chooseFiles(accept);
    if (chosen) onFile(chosen);
  };
  const address = addressOf(asset);
  const isBad = failureOf(asset) !== undefined;
  return (
    <Field id={id} label={label} hint={isBad ? undefined : hint} error={error}>
      {isBad ? (
        <FileTrouble
          id={id}
          place={label}
          asset={asset}
          use={use}
          onChoose={() => void choose()}
          onRemove={onRemove}
        />
      ) : (
        <span class="file">
          {asset?.type === 'image' && address && <img src={address} alt="" width={28} height={28} />}
          <Button id={id} {...(use === 'music' ? { icon: 'music' } : {})} onClick={() => void choose()}>
            {asset ? nameOf(asset) : (file ?? empty)}
          </Button>
          {file !== undefined && (
            <IconButton icon="cross" label={`Remove the ${label.toLowerCase()}`} onClick={onRemove} />
          )}
          <UploadBar asset={asset} />
        </span>
      )}
    </Field>
  );
}
