import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { apiKey, call, keyWanted, setApiKey, wordsOf } from './api/call.ts';
import type { Access } from './api/types.ts';
import { EditorPage } from './editor/EditorPage.tsx';
import { change } from './editor/session.ts';
import { openWorkspace, type Workspace } from './editor/workspace.ts';
import { JobPage } from './jobs/JobPage.tsx';
import { JobsPage } from './jobs/JobsPage.tsx';
import { QueuePage } from './queue/QueuePage.tsx';
import { SignIn } from './SignIn.tsx';
import { fromJob } from './storyboard/job.ts';
import { Announcements, tell } from './ui/announce.tsx';
import { Confirmation } from './ui/confirm.tsx';
import { Button, Empty, IconButton, Notice } from './ui/controls.tsx';
import { Icon, type IconName } from './ui/icons.tsx';
import { follow, go, route } from './ui/router.ts';

const PAGES: { page: string; href: string; label: string; icon: IconName }[] = [
  { page: 'editor', href: '/', label: 'Editor', icon: 'edit' },
  { page: 'jobs', href: '/jobs', label: 'Jobs', icon: 'queue' },
  { page: 'queue', href: '/queue', label: 'Health', icon: 'pulse' },
];

export function App(): JSX.Element {
  const access = useSignal<Access | undefined>(undefined);
  const workspace = useSignal<Workspace | undefined>(undefined);
  const trouble = useSignal<string | undefined>(undefined);
  const key = apiKey.value;
  const wanted = keyWanted.value;

  const load = async (): Promise<void> => {
    trouble.value = undefined;
    try {
      access.value = await call<Access>('/api/preview/access');
      workspace.value?.close();
      workspace.value = await openWorkspace(access.value);
    } catch (error) {
      if (!keyWanted.peek()) trouble.value = wordsOf(error);
    }
  };
  useEffect(() => {
    void load();
  }, [key]);

  const openInEditor = (sent: unknown): void => {
    try {
      const storyboard = fromJob(sent);
      change(() => storyboard);
      go('/');
    } catch (error) {
      tell(wordsOf(error));
    }
  };

  const here = route.value;
  const { page } = here;
  useEffect(() => {
    if (page !== 'editor') workspace.peek()?.screen.pause();
    const name = PAGES.find((one) => one.page === page)?.label;
    document.title = name ? `${name} · Preview Studio` : 'Preview Studio';
  }, [page]);

  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href="/" onClick={follow}>
          <Logo />
          <span>Preview Studio</span>
        </a>
        <nav aria-label="Pages">
          {PAGES.map(({ page: name, href, label, icon }) => {
            const isHere = page === name || (name === 'jobs' && page === 'job');
            return (
              <a
                key={href}
                href={href}
                onClick={follow}
                {...(isHere ? { 'aria-current': 'page' as const } : {})}
              >
                <Icon name={icon} />
                <span>{label}</span>
              </a>
            );
          })}
        </nav>
        <span class="bar-end">
          <a class="bar-link" href="/docs">
            <Icon name="book" />
            <span>API</span>
          </a>
          {key && !wanted && (
            <IconButton
              icon="exit"
              label={`Sign out${access.value?.project ? ` of ${access.value.project}` : ''}`}
              onClick={() => {
                setApiKey('');
                location.reload();
              }}
            />
          )}
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        {wanted ? (
          <SignIn />
        ) : (
          <>
            {trouble.value !== undefined && (
              <Notice
                kind="bad"
                action={
                  <Button icon="replay" onClick={() => void load()}>
                    Try again
                  </Button>
                }
              >
                {trouble.value}
              </Notice>
            )}
            {page === 'editor' &&
              (workspace.value ? <EditorPage workspace={workspace.value} /> : <EditorSkeleton />)}
            {page === 'jobs' && <JobsPage />}
            {here.page === 'job' && <JobPage jobId={here.jobId} openInEditor={openInEditor} />}
            {page === 'queue' && access.value && <QueuePage access={access.value} />}
            {page === 'unknown' && (
              <Empty icon="search" title="There is nothing at this address">
                <a href="/" onClick={follow}>
                  Go to the editor
                </a>
              </Empty>
            )}
          </>
        )}
      </main>
      <Confirmation />
      <Announcements />
    </>
  );
}

/** Placeholders for what is being loaded, so that nothing jumps. */
function EditorSkeleton(): JSX.Element {
  return (
    <div class="editor" aria-busy="true">
      <div class="preview">
        <div class="player">
          <div class="stage" />
        </div>
      </div>
      <div class="board" />
    </div>
  );
}

function Logo(): JSX.Element {
  return (
    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--accent-fill)" />
      <path
        d="M12.5 10.2v11.6c0 .8.9 1.3 1.6.9l9-5.8c.6-.4.6-1.4 0-1.8l-9-5.8c-.7-.4-1.6.1-1.6.9Z"
        fill="#fff"
      />
      <rect x="7" y="9.5" width="2.6" height="13" rx="1.3" fill="#fff" opacity=".65" />
    </svg>
  );
}
