import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { call, wordsOf } from '../api/call.ts';
import type { DeadLetter, QueueState } from '../api/types.ts';
import { deadLetterUrl, discardJob, pageOf, replayJob } from '../jobs/actions.ts';
import { tell } from '../ui/announce.tsx';
import { useClock } from '../ui/clock.ts';
import { Button, IconButton, Notice, Progress } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { follow } from '../ui/router.ts';
import { age, count as counted, dateAndTime } from '../ui/words.ts';

/**
 * Shows the jobs that failed for good, and replays them. They are loaded again on every event of the queue, because a job
 * that is replayed and fails again does not change their number.
 */
export function DeadLetters({ state }: { state: QueueState | undefined }): JSX.Element {
  const now = useClock();
  const letters = useSignal<readonly DeadLetter[] | undefined>(undefined);
  const total = useSignal(0);
  const problem = useSignal<string | undefined>(undefined);
  const replaying = useSignal<{ done: number; of: number } | undefined>(undefined);

  const load = async (): Promise<void> => {
    try {
      const answer = await call<{ total: number; deadLetters: DeadLetter[] }>('/api/preview/dead-letter');
      letters.value = answer.deadLetters;
      total.value = answer.total;
      problem.value = undefined;
    } catch (error) {
      problem.value = wordsOf(error);
    }
  };
  useEffect(() => {
    void load();
  }, [state]);

  const replayAll = async (): Promise<void> => {
    const all = letters.peek() ?? [];
    let failed: string | undefined;
    for (const [done, letter] of all.entries()) {
      replaying.value = { done, of: all.length };
      try {
        await call(deadLetterUrl(letter, '/replay'), { method: 'POST' });
      } catch (error) {
        // A full queue stays full for a while: the rest can be replayed later.
        failed = wordsOf(error);
        break;
      }
    }
    const sent = replaying.peek()?.done ?? 0;
    replaying.value = undefined;
    tell(
      failed === undefined
        ? `${counted(all.length, 'job')} are in the queue again.`
        : `${counted(sent, 'job')} replayed. ${failed}`,
    );
    await load();
  };

  const shown = letters.value;
  const work = replaying.value;
  return (
    <section class="box" aria-labelledby="dead-letters">
      <div class="box-head">
        <h2 id="dead-letters">Dead letters{shown && shown.length > 0 ? ` (${total.value})` : ''}</h2>
        {work && <Progress value={(work.done / work.of) * 100} label="Replaying" />}
        {shown && shown.length > 1 && (
          <Button icon="replay" disabled={work !== undefined} onClick={() => void replayAll()}>
            {work ? `${work.done} of ${work.of}` : 'Replay all'}
          </Button>
        )}
      </div>
      {problem.value && <Notice kind="bad">{problem.value}</Notice>}
      {shown === undefined && !problem.value && <span class="row-place" />}
      {shown?.length === 0 && (
        <p class="none">
          <Icon name="check" size={16} /> No job has failed for good. One that does waits here until it is
          replayed or discarded.
        </p>
      )}
      {shown && shown.length > 0 && (
        <ul class="letters">
          {shown.map((letter) => (
            <li key={`${letter.projectId} ${letter.jobId}`} data-letter={letter.jobId}>
              <div class="letter-words">
                <a href={pageOf(letter)} onClick={follow}>
                  {letter.jobId}
                </a>
                <p>{letter.error.message}</p>
                <p class="muted small">
                  <code>{letter.error.code}</code>
                  {placeOf(letter)} · {counted(letter.attemptsMade, 'attempt')} ·{' '}
                  <span title={dateAndTime(letter.failedAt)}>failed {ago(letter.failedAt, now)}</span> ·{' '}
                  {letter.projectId}
                </p>
              </div>
              <IconButton
                icon="trash"
                label={`Discard ${letter.jobId}`}
                onClick={() => void discardJob(letter).then((done) => (done ? load() : undefined))}
              />
              <Button
                icon="replay"
                aria-label={`Replay ${letter.jobId}`}
                onClick={() => void replayJob(letter).then(load)}
              >
                Replay
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const ago = (time: string, now: number): string => {
  const words = age(time, now);
  return words === 'now' ? 'just now' : `${words} ago`;
};

/** Where the last attempt failed, as far as it is known. */
function placeOf({ place }: DeadLetter): string {
  const words = [
    place?.step === undefined ? undefined : `step ${place.step + 1}`,
    place?.asset === undefined ? undefined : `asset ${place.asset}`,
    place?.part ?? place?.stage,
  ].filter(Boolean);
  return words.length > 0 ? ` · ${words.join(', ')}` : '';
}
