import type { JSX } from 'preact';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { IconButton } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { UploadBar } from './UploadBar.tsx';
import { nameOf } from './uploads.ts';

/** The narration of a step; pressing it chooses another one. */
export function StepNarration({
  id,
  narration,
  asset,
  name,
  onChoose,
  onRemove,
}: {
  id: string;
  narration: string | undefined;
  asset: Asset | undefined;
  name: string;
  onChoose(): void;
  onRemove(): void;
}): JSX.Element {
  if (narration === undefined) {
    return (
      <button
        type="button"
        id={id}
        class="chip chip-button"
        aria-label={`${name}, add narration`}
        onClick={onChoose}
      >
        <Icon name="voice" size={15} /> Add narration
      </button>
    );
  }
  const file = asset ? nameOf(asset) : narration;
  return (
    <span class="chip">
      <Icon name="voice" size={15} />
      <button
        type="button"
        id={id}
        class="chip-name"
        aria-label={`${name}, change the narration: ${file}`}
        onClick={onChoose}
      >
        {file}
      </button>
      <IconButton icon="cross" size={14} label={`${name}, remove narration`} onClick={onRemove} />
      <UploadBar asset={asset} />
    </span>
  );
}
