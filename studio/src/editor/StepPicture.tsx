import { createContext, type JSX } from 'preact';
import { useContext } from 'preact/hooks';
import type { Thumb } from '../player/extras.ts';
import { Sprite } from '../player/ScrubBar.tsx';
import type { Card, Storyboard } from '../storyboard/storyboard.ts';
import { Icon } from '../ui/icons.tsx';
import { addressOf, sendFile, uploads } from './uploads.ts';

/** The pictures of the last finished preview, by the key of what they show. */
export const Thumbs = createContext<ReadonlyMap<string, Thumb>>(new Map());

/** The picture of a step; pressing it chooses another one. */
export function StepPicture({
  card: { key, step },
  board,
  name,
  onChoose,
}: {
  card: Card;
  board: Storyboard;
  name: string;
  onChoose(): void;
}): JSX.Element {
  const asset = board.assets.find(({ id }) => id === step.asset);
  const address = addressOf(asset);
  const thumb = useContext(Thumbs).get(key);
  const upload = uploads.value.find(({ token }) => token === asset?.upload);
  return (
    <div class="card-picture">
      <button
        type="button"
        class="card-picture-button"
        aria-label={`${name}, ${step.asset === undefined ? 'add a picture' : 'change the picture'}`}
        onClick={onChoose}
      >
        {address && asset?.type === 'image' && (
          <img src={address} alt={step.alt ?? ''} width={160} height={90} draggable={false} />
        )}
        {address && asset?.type === 'video' && <video src={address} muted preload="metadata" />}
        {!address && step.asset !== undefined && thumb && <Sprite thumb={thumb} />}
        {!address && !(step.asset !== undefined && thumb) && (
          <span class="card-picture-empty">
            <Icon name="image" size={20} />
            {step.asset === undefined ? 'Add a picture' : step.asset}
          </span>
        )}
        <span class="card-picture-change">Change</span>
      </button>
      {upload && !upload.error && (
        <span
          class="card-upload"
          role="progressbar"
          aria-label={`Uploading ${upload.name}`}
          aria-valuenow={Math.round(upload.share * 100)}
        >
          <span style={{ width: `${upload.share * 100}%` }} />
        </span>
      )}
      {upload?.error && (
        <button
          type="button"
          class="card-retry"
          title={upload.error}
          onClick={() => void sendFile(upload.token)}
        >
          {upload.error} Try again
        </button>
      )}
    </div>
  );
}
