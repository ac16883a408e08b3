import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { wordsOf } from '../api/call.ts';
import { Problem } from '../api/problem.ts';
import type { Thumb } from '../player/extras.ts';
import { placeOf } from '../storyboard/fields.ts';
import { fromJob } from '../storyboard/job.ts';
import { EMPTY } from '../storyboard/storyboard.ts';
import { tell } from '../ui/announce.tsx';
import { Button, FieldError, IconButton, invalid } from '../ui/controls.tsx';
import { go } from '../ui/router.ts';
import { bringsFiles, chooseFiles, dropOnBoard } from './files.ts';
import { PreviewPane } from './PreviewPane.tsx';
import { Settings } from './Settings.tsx';
import { StepList } from './StepList.tsx';
import { Thumbs } from './StepPicture.tsx';
import { board, canRedo, canUndo, change, errors, redoChange, undoChange } from './session.ts';
import { uploads } from './uploads.ts';
import type { Workspace } from './workspace.ts';

/** The storyboard with its preview beside it. */
export function EditorPage({ workspace }: { workspace: Workspace }): JSX.Element {
  const { live } = workspace;
  const over = useSignal(false);
  useEffect(() => {
    document.addEventListener('keydown', onShortcut);
    const stopDrops = takeDrops(over);
    return () => {
      document.removeEventListener('keydown', onShortcut);
      stopDrops();
    };
  }, [over]);
  const version = live.version.value;
  const thumbs = new Map(
    (version?.keys ?? []).flatMap((key, i): [string, Thumb][] => {
      const thumb = version?.extras.thumbs[i];
      return thumb ? [[key, thumb]] : [];
    }),
  );
  return (
    <Thumbs.Provider value={thumbs}>
      <div class={`editor ${over.value ? 'over' : ''}`}>
        <h1 class="unseen">Editor</h1>
        <PreviewPane workspace={workspace} />
        <section class="board" aria-label="Storyboard">
          <Toolbar workspace={workspace} />
          <Heading live={live} />
          <Settings />
          <StepList live={live} />
        </section>
      </div>
    </Thumbs.Provider>
  );
}

/** Files may be dropped anywhere on the page; a step under them takes them itself. @returns a function that stops this */
function takeDrops(over: Signal<boolean>): () => void {
  const onOver = (event: DragEvent): void => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    over.value = true;
  };
  const onLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) over.value = false;
  };
  const onDrop = (event: DragEvent): void => {
    over.value = false;
    if (!bringsFiles(event) || event.defaultPrevented) return;
    event.preventDefault();
    dropOnBoard([...(event.dataTransfer?.files ?? [])]);
  };
  document.addEventListener('dragover', onOver);
  document.addEventListener('dragleave', onLeave);
  document.addEventListener('drop', onDrop);
  return () => {
    document.removeEventListener('dragover', onOver);
    document.removeEventListener('dragleave', onLeave);
    document.removeEventListener('drop', onDrop);
  };
}

function onShortcut(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const isRedo = key === 'y' || (key === 'z' && event.shiftKey);
  if (!isRedo && key !== 'z') return;
  // The browser's own undo knows one field only.
  event.preventDefault();
  if (isRedo) redoChange();
  else undoChange();
}

function Toolbar({ workspace }: { workspace: Workspace }): JSX.Element {
  const sending = useSignal(false);
  const render = async (): Promise<void> => {
    sending.value = true;
    try {
      const { status, leftOut } = await workspace.render();
      const { jobId, projectId } = status;
      go(`/jobs/${encodeURIComponent(jobId)}?projectId=${encodeURIComponent(projectId)}`);
      if (leftOut.length > 0)
        tell(`The video is rendered without ${leftOut.join(', ')}, which cannot be used.`);
    } catch (error) {
      const [wrong] = errors.peek().fields;
      const isAboutField = error instanceof Problem && error.errors.length > 0 && wrong;
      tell(isAboutField ? `${placeOf(wrong[0], board.peek())}: ${wrong[1]}` : wordsOf(error));
    } finally {
      sending.value = false;
    }
  };
  return (
    <div class="toolbar">
      <IconButton icon="undo" label="Undo (Ctrl+Z)" disabled={!canUndo.value} onClick={undoChange} />
      <IconButton icon="redo" label="Redo (Ctrl+Shift+Z)" disabled={!canRedo.value} onClick={redoChange} />
      <span class="toolbar-line" />
      <IconButton icon="upload" label="Import a job (JSON)" onClick={() => void importJob()} />
      <IconButton icon="download" label="Export the job (JSON)" onClick={() => void exportJob(workspace)} />
      <span class="toolbar-space" />
      <Button kind="quiet" onClick={() => change(() => EMPTY)}>
        New
      </Button>
      <Button kind="quiet" onClick={workspace.openExample}>
        Example
      </Button>
      <Button kind="primary" icon="film" disabled={sending.value} onClick={() => void render()}>
        {sending.value && uploads.value.length > 0 ? 'Sending files' : 'Render'}
      </Button>
    </div>
  );
}

async function importJob(): Promise<void> {
  const [file] = await chooseFiles('application/json,.json');
  if (!file) return;
  try {
    const storyboard = fromJob(JSON.parse(await file.text()));
    change(() => storyboard);
    tell(`${file.name} is open.`);
  } catch (error) {
    tell(error instanceof SyntaxError ? `${file.name} is not JSON. Choose an exported job.` : wordsOf(error));
  }
}

async function exportJob(workspace: Workspace): Promise<void> {
  const { job, leftOut } = await workspace.exported();
  const url = URL.createObjectURL(
    new Blob([`${JSON.stringify(job, null, 2)}\n`], { type: 'application/json' }),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = `${job.jobId}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  if (leftOut.length > 0) tell(`The job leaves out ${leftOut.join(', ')}, which cannot be used.`);
}

function Heading({ live }: { live: Workspace['live'] }): JSX.Element {
  const { title, description } = board.value;
  const errorOf = (field: string): string | undefined => errors.value.fields.get(field);
  return (
    <div class="heading" onFocusCapture={() => live.look('title')}>
      <input
        id="title"
        class="heading-title"
        aria-label="Title"
        placeholder="Untitled storyboard"
        autocomplete="off"
        value={title}
        onInput={(event) => {
          const value = event.currentTarget.value;
          change((before) => ({ ...before, title: value }), 'title');
        }}
        {...invalid('title', errorOf('title'))}
      />
      <FieldError id="title" message={errorOf('title')} />
      <input
        id="description"
        class="heading-description"
        aria-label="Description"
        placeholder="A line below the title"
        autocomplete="off"
        value={description}
        onInput={(event) => {
          const value = event.currentTarget.value;
          change((before) => ({ ...before, description: value }), 'description');
        }}
        {...invalid('description', errorOf('description'))}
      />
      <FieldError id="description" message={errorOf('description')} />
    </div>
  );
}
