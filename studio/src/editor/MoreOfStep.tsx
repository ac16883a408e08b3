import type { JSX } from 'preact';
import type { Card } from '../storyboard/storyboard.ts';
import { Field, invalid, Select } from '../ui/controls.tsx';
import { typedNumber } from './StepCard.tsx';

type Step = Card['step'];
type Transition = NonNullable<Step['transition']>;

const TRANSITIONS = [
  { value: 'fade', label: 'Fade' },
  { value: 'none', label: 'Cut' },
  { value: 'slide', label: 'Slide' },
  { value: 'wipe', label: 'Wipe' },
];
const MOTIONS = [
  { value: 'none', label: 'None' },
  { value: 'zoomIn', label: 'Zoom in' },
  { value: 'zoomOut', label: 'Zoom out' },
  { value: 'panLeft', label: 'Pan left' },
  { value: 'panRight', label: 'Pan right' },
];

const rectangle = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });
const RECTANGLES: Record<string, Step['focus']> = {
  all: undefined,
  centre: rectangle(0.25, 0.25, 0.5, 0.5),
  left: rectangle(0, 0.2, 0.6, 0.6),
  right: rectangle(0.4, 0.2, 0.6, 0.6),
  top: rectangle(0.2, 0, 0.6, 0.6),
  bottom: rectangle(0.2, 0.4, 0.6, 0.6),
};
const FOCUSES = [
  { value: 'all', label: 'The whole picture' },
  { value: 'centre', label: 'The centre' },
  { value: 'left', label: 'The left' },
  { value: 'right', label: 'The right' },
  { value: 'top', label: 'The top' },
  { value: 'bottom', label: 'The bottom' },
];

/** The name of a focus rectangle. An imported job may have another rectangle. */
function focusName(focus: Step['focus']): string {
  const same = Object.entries(RECTANGLES).find(
    ([, known]) => JSON.stringify(known) === JSON.stringify(focus),
  );
  return same?.[0] ?? 'As in the job';
}

/** The settings that most steps do not change. */
export function MoreOfStep({
  card: { step },
  name,
  patch,
  errorOf,
  id,
}: {
  card: Card;
  name: string;
  patch(field: string, value: Partial<Step>): void;
  errorOf(field: string): string | undefined;
  id(field: string): string;
}): JSX.Element {
  const transition: Transition = step.transition ?? { type: 'fade' };
  const setTransition = (field: string, change: Partial<Transition>): void =>
    patch(field, { transition: { ...transition, ...change } });
  return (
    <div class="card-more">
      <Field id={id('transition')} label="Transition" error={errorOf('transition')}>
        <Select
          id={id('transition')}
          aria-label={`${name}, transition`}
          value={transition.type}
          choices={TRANSITIONS}
          onChange={(type) => setTransition('transition', { type: type as Transition['type'] })}
          {...invalid(id('transition'), errorOf('transition'))}
        />
      </Field>
      <Field id={id('transitionSeconds')} label="Transition, seconds" error={errorOf('transitionSeconds')}>
        <input
          id={id('transitionSeconds')}
          inputMode="decimal"
          placeholder="0.5"
          autocomplete="off"
          disabled={transition.type === 'none'}
          value={transition.durationSeconds ?? ''}
          onInput={(event) => {
            const durationSeconds = typedNumber(event.currentTarget.value);
            const { type } = transition;
            patch('transitionSeconds', {
              transition: durationSeconds === undefined ? { type } : { type, durationSeconds },
            });
          }}
          {...invalid(id('transitionSeconds'), errorOf('transitionSeconds'))}
        />
      </Field>
      <Field id={id('motion')} label="Motion" error={errorOf('motion')}>
        <Select
          id={id('motion')}
          value={step.motion ?? 'none'}
          choices={MOTIONS}
          onChange={(motion) => patch('motion', { motion: motion as NonNullable<Step['motion']> })}
          {...invalid(id('motion'), errorOf('motion'))}
        />
      </Field>
      <Field id={id('focus')} label="Focus on" error={errorOf('focus')}>
        <Select
          id={id('focus')}
          value={focusName(step.focus)}
          choices={FOCUSES}
          onChange={(name) => patch('focus', { focus: RECTANGLES[name] })}
          {...invalid(id('focus'), errorOf('focus'))}
        />
      </Field>
      <div class="card-more-wide">
        <Field
          id={id('alt')}
          label="Alternative text, for people who cannot see the picture"
          error={errorOf('alt')}
        >
          <input
            id={id('alt')}
            autocomplete="off"
            value={step.alt ?? ''}
            onInput={(event) => patch('alt', { alt: event.currentTarget.value })}
            {...invalid(id('alt'), errorOf('alt'))}
          />
        </Field>
      </div>
    </div>
  );
}
