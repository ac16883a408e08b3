import { createContext, type JSX } from 'preact';
import { useContext } from 'preact/hooks';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import type { Thumb } from '../player/extras.ts';
import { Sprite } from '../player/ScrubBar.tsx';
import type { Card } from '../storyboard/storyboard.ts';
import { Icon } from '../ui/icons.tsx';
import { UploadBar } from './UploadBar.tsx';
import { addressOf, failureOf } from './uploads.ts';

/** The pictures of the last finished preview, by the key of the step that they show. */
export const Thumbs = createContext<ReadonlyMap<string, Thumb>>(new Map());

/** The picture of a step; pressing it chooses another one. */
export function StepPicture({
  id,
  card: { key, step },
  asset,
  name,
  onChoose,
}: {
  id: string;
  card: Card;
  asset: Asset | undefined;
  name: string;
  onChoose(): void;
}): JSX.Element {
  const isBad = failureOf(asset) !== undefined;
  const address = isBad ? undefined : addressOf(asset);
  const thumb = useContext(Thumbs).get(key);
  const isShown = step.asset !== undefined && !isBad && thumb;
  return (
    <div class="card-picture">
      <button
        type="button"
        {...(isBad ? {} : { id })}
        class="card-picture-button"
        aria-label={`${name}, ${step.asset === undefined ? 'add a picture' : 'change the picture'}`}
        onClick={onChoose}
      >
        {address && asset?.type === 'image' && (
          <img src={address} alt={step.alt ?? ''} width={160} height={90} draggable={false} />
        )}
        {address && asset?.type === 'video' && <video src={address} muted preload="metadata" />}
        {!address && isShown && <Sprite thumb={isShown} />}
        {!address && !isShown && (
          <span class={`card-picture-empty ${isBad ? 'bad' : ''}`}>
            <Icon name={isBad ? 'warning' : 'image'} size={20} />
            {!isBad && (step.asset ?? 'Add a picture')}
          </span>
        )}
        <span class="card-picture-change">Change</span>
      </button>
      <UploadBar asset={asset} />
    </div>
  );
}
