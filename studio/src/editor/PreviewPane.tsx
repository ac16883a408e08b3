import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { readResolution } from '../../../src/job/resolution.ts';
import { Downloads } from '../player/Downloads.tsx';
import { Player } from '../player/Player.tsx';
import type { Chapter } from '../player/ScrubBar.tsx';
import { placeOf } from '../storyboard/fields.ts';
import { type Span, TITLE_KEY } from '../storyboard/timeline.ts';
import { Button, Notice } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { count, duration } from '../ui/words.ts';
import type { LivePreview, Phase, Version } from './livePreview.ts';
import { board, errors } from './session.ts';
import type { Workspace } from './workspace.ts';

/** The preview beside the storyboard, always of the newest version. */
export function PreviewPane({ workspace: { screen, live } }: { workspace: Workspace }): JSX.Element {
  const version = live.version.value;
  const phase = live.phase.value;
  const chapters = useComputed(() => chaptersOf(live.spans.value, live.version.value));
  const { width, height } = readResolution(board.value.options.resolution);
  const ratio = width > 0 && height > 0 ? width / height : 16 / 9;
  return (
    <aside class="preview" aria-label="Live preview">
      <Player
        screen={screen}
        ratio={ratio}
        chapters={chapters.value}
        extras={version?.extras ?? { artifacts: [], captions: [], chapters: [], thumbs: [] }}
        placeholder={<Waiting phase={phase} />}
        badge={<PhaseBadge live={live} />}
      />
      <SegmentBar live={live} />
      <Trouble live={live} />
      <GeneralWarnings version={version} />
      {version && version.extras.artifacts.length > 0 && (
        <Downloads extras={version.extras} link={version.status.links.artifacts} />
      )}
    </aside>
  );
}

/** The names of the spans of the preview, and whether they were rendered or reused. */
function chaptersOf(spans: readonly Span[], version: Version | undefined): Chapter[] {
  return spans.map(({ key, start, end }) => {
    const index = version?.board.cards.findIndex((card) => card.key === key) ?? -1;
    const step = version?.board.cards[index]?.step;
    const label =
      key === TITLE_KEY ? version?.board.title || 'Title' : step?.title || step?.text || `Step ${index + 1}`;
    return { key, start, end, label };
  });
}

function Waiting({ phase }: { phase: Phase }): JSX.Element {
  if (phase.name === 'uploading') {
    return (
      <>
        <Icon name="upload" size={22} />
        <span>
          Sending the pictures and sounds, {phase.done} of {phase.of}
        </span>
      </>
    );
  }
  if (phase.name === 'failed' || phase.name === 'waiting' || phase.name === 'invalid') {
    return <span>No preview yet</span>;
  }
  return (
    <>
      <span class="spinner" />
      <span>Rendering the first picture</span>
    </>
  );
}

const WORDS: Record<Phase['name'], string> = {
  idle: 'Starting',
  typing: 'Editing',
  uploading: 'Uploading',
  sending: 'Rendering',
  rendering: 'Rendering',
  ready: 'Up to date',
  invalid: 'Needs a fix',
  waiting: 'Waiting',
  failed: 'Not rendered',
};

function PhaseBadge({ live }: { live: LivePreview }): JSX.Element {
  const phase = live.phase.value;
  const version = live.version.value;
  const percent = version?.status.progress.percent ?? 0;
  const rendering = phase.name === 'rendering';
  return (
    <span
      class={`badge phase-${phase.name}`}
      data-phase={phase.name}
      data-shown={live.whole.value ? 'whole' : 'part'}
    >
      <span class="badge-dot" />
      {phase.name === 'uploading' ? `Uploading ${phase.done} of ${phase.of}` : WORDS[phase.name]}
      {rendering && percent > 0 && <span class="badge-more">{percent} %</span>}
      {phase.name === 'ready' && version?.seconds !== undefined && (
        <span class="badge-more">{duration(version.seconds)}</span>
      )}
    </span>
  );
}

/** One block for each segment of the newest version: reused, new, or still missing. */
function SegmentBar({ live }: { live: LivePreview }): JSX.Element {
  const version = live.version.value;
  const segments = version?.segments ?? [];
  const spans = live.spans.value;
  const keys = version?.keys ?? [];
  const reused = segments.filter((segment) => segment.reused).length;
  const made = segments.length - reused;
  return (
    <div class="segments">
      <div class="segments-bar" aria-hidden="true">
        {keys.map((key, index) => {
          const segment = segments[index];
          const span = spans.find((one) => one.key === key);
          const length = segment
            ? segment.endSeconds - segment.startSeconds
            : span
              ? span.end - span.start
              : 3;
          const state = segment === undefined ? 'pending' : segment.reused ? 'reused' : 'new';
          return (
            <span key={key} class={`segment ${state}`} data-state={state} style={{ flexGrow: length }} />
          );
        })}
      </div>
      <p class="segments-words">
        {version ? (
          <>
            <span class="key new" /> {count(made, 'segment')} rendered
            <span class="key reused" /> {reused} reused
            {segments.length < keys.length && (
              <span class="muted"> {keys.length - segments.length} to come</span>
            )}
          </>
        ) : (
          <span class="muted">Segments appear here as they are rendered</span>
        )}
      </p>
    </div>
  );
}

/** What keeps the preview from being made, and what to do. */
function Trouble({ live }: { live: LivePreview }): JSX.Element | null {
  const phase = live.phase.value;
  const { fields, others } = errors.value;
  if (phase.name === 'failed') {
    return (
      <Notice
        kind="bad"
        action={
          <Button icon="replay" onClick={() => live.again()}>
            Try again
          </Button>
        }
      >
        {phase.words}
      </Notice>
    );
  }
  if (phase.name === 'waiting') {
    return (
      <Notice kind="warn">
        {phase.words} It is tried again in {phase.seconds} s.
      </Notice>
    );
  }
  if (fields.size === 0 && others.length === 0) return null;
  return (
    <Notice kind="bad">
      <p>
        {count(fields.size + others.length, 'thing keeps', 'things keep')} the preview from being made. What
        is shown is the version before.
      </p>
      <ul>
        {[...fields].map(([field, message]) => (
          <li key={field}>
            <button type="button" class="link" onClick={() => document.getElementById(field)?.focus()}>
              {placeOf(field, board.value)}
            </button>
            : {message}
          </li>
        ))}
        {others.map(({ pointer, message }) => (
          <li key={pointer}>
            <code>{pointer}</code>: {message}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** Warnings about the whole preview. Warnings about a step are shown at that step. */
function GeneralWarnings({ version }: { version: Version | undefined }): JSX.Element | null {
  const warnings = (version?.status.warnings ?? []).filter(({ step }) => step === undefined);
  if (warnings.length === 0) return null;
  return (
    <Notice kind="warn">
      {warnings.map(({ code, message }) => (
        <p key={code + message}>{message}</p>
      ))}
    </Notice>
  );
}
