import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { call } from '../api/call.ts';
import type { SignedArtifact } from '../api/types.ts';
import { tell } from '../ui/announce.tsx';
import { IconButton } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { bytes, clock, duration } from '../ui/words.ts';
import type { Extras } from './extras.ts';

const NAMES: Record<string, string> = {
  'preview.mp4': 'Video',
  'preview.webm': 'Video',
  'poster.jpg': 'Poster',
  'storyboard.jpg': 'Thumbnails',
  'storyboard.vtt': 'Thumbnails, index',
  'captions.vtt': 'Captions, WebVTT',
  'captions.srt': 'Captions, SubRip',
  'chapters.vtt': 'Chapters',
  'teaser.webp': 'Teaser',
  'manifest.json': 'Manifest',
};

/** What the preview consists of: figures, and every file with its size and a link that can be passed on. */
export function Downloads({
  extras: { artifacts: signed, manifest },
  link,
  open = false,
}: {
  extras: Extras;
  /** Where the files are signed anew. */
  link: string;
  open?: boolean;
}): JSX.Element {
  const artifacts = useFreshLinks(signed, link);
  return (
    <section class="downloads" aria-label="Files">
      {manifest && (
        <dl class="facts">
          <Fact name="Length" value={clock(manifest.durationSeconds)} />
          <Fact name="Picture" value={`${manifest.width} × ${manifest.height}`} />
          {manifest.audio && (
            <Fact
              name="Loudness"
              value={`${minus(manifest.audio.integratedLufs)} LUFS`}
              title={`True peak ${minus(manifest.audio.truePeakDb)} dB`}
            />
          )}
          <Fact name="Rendered in" value={duration(manifest.stats.renderSeconds)} />
        </dl>
      )}
      <details class="panel" open={open}>
        <summary>
          <Icon name="download" />
          <strong>Files</strong>
          <span class="panel-now">
            {artifacts.length} files, {bytes(artifacts.reduce((sum, one) => sum + one.bytes, 0))}
          </span>
          <Icon name="chevron" />
        </summary>
        <ul class="files">
          {artifacts.map((artifact) => (
            <li key={artifact.name}>
              <a class="file-link" href={artifact.url} download={artifact.name}>
                <Icon name="download" size={16} />
                <span>{NAMES[artifact.name] ?? artifact.name}</span>
                <span class="muted file-name">{artifact.name}</span>
              </a>
              <span class="muted number">{bytes(artifact.bytes)}</span>
              <IconButton
                icon="link"
                size={16}
                label={`Copy a link to ${artifact.name}, valid until ${expiry(artifact)}`}
                onClick={() => void share(artifact)}
              />
            </li>
          ))}
        </ul>
        <p class="files-note muted">
          You can share these links. They are signed, and valid until{' '}
          {artifacts[0] ? expiry(artifacts[0]) : ''}.
        </p>
      </details>
    </section>
  );
}

const EARLY_MS = 30_000;

/** The same files, with new links shortly before the old ones expire. */
function useFreshLinks(signed: readonly SignedArtifact[], link: string): readonly SignedArtifact[] {
  const fresh = useSignal(signed);
  useEffect(() => {
    fresh.value = signed;
  }, [signed, fresh]);
  const expiresAt = fresh.value[0]?.expiresAt;
  useEffect(() => {
    if (expiresAt === undefined) return undefined;
    const left = Date.parse(expiresAt) - Date.now() - EARLY_MS;
    const timer = setTimeout(
      () => {
        call<{ artifacts: SignedArtifact[] }>(link).then(
          ({ artifacts }) => {
            fresh.value = artifacts;
          },
          () => undefined,
        );
      },
      Math.max(EARLY_MS, Math.min(left, 2 ** 31 - 1)),
    );
    return () => clearTimeout(timer);
  }, [expiresAt, link, fresh]);
  return fresh.value.length === signed.length ? fresh.value : signed;
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }): JSX.Element {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const minus = (value: number): string => value.toFixed(1).replace('-', '−');

const expiry = ({ expiresAt }: SignedArtifact): string =>
  new Date(expiresAt).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });

async function share(artifact: SignedArtifact): Promise<void> {
  const link = new URL(artifact.url, location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    tell(`The link is copied. It is valid until ${expiry(artifact)}.`);
  } catch {
    // Not on a secure origin, or not allowed: the person copies it.
    prompt(`Valid until ${expiry(artifact)}:`, link);
  }
}
