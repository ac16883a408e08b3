import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Warning } from '../api/types.ts';
import { showing } from '../storyboard/files.ts';
import { type Card, patchCard, type Storyboard, type TypedNumber } from '../storyboard/storyboard.ts';
import { FieldError, IconButton, invalid } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { FileTrouble } from './FileTrouble.tsx';
import { bringsFiles, chooseFiles, dropOnCard, PICTURES, SOUNDS, setNarration, setPicture } from './files.ts';
import { MoreOfStep } from './MoreOfStep.tsx';
import { StepNarration } from './StepNarration.tsx';
import { StepPicture } from './StepPicture.tsx';
import { change, errors, selected } from './session.ts';
import { failureOf } from './uploads.ts';

export interface StepActions {
  move(key: string, by: number): void;
  duplicate(key: string): void;
  remove(key: string): void;
  /** Takes the card by its grip. */
  grab(key: string, event: PointerEvent): void;
  look(key: string): void;
}

/** The typed number. If it is none, the text itself, so that the API says what is wrong with it. */
export function typedNumber(text: string): TypedNumber | undefined {
  const words = text.trim().replace(',', '.');
  if (words === '') return undefined;
  return Number.isFinite(Number(words)) ? Number(words) : text;
}

/** A step: picture, headline, text, narration, duration and transition. */
export function StepCard({
  card,
  board,
  index,
  seconds,
  warnings,
  actions,
  isDragged,
  line,
}: {
  card: Card;
  board: Storyboard;
  index: number;
  /** How long it lasts in the preview that is shown. */
  seconds: number | undefined;
  warnings: readonly Warning[];
  actions: StepActions;
  isDragged: boolean;
  /** Where the dragged card would be dropped. */
  line: 'before' | 'after' | undefined;
}): JSX.Element {
  const { key, step } = card;
  const over = useSignal(false);
  const more = useSignal(false);
  const id = (name: string): string => `step.${key}.${name}`;
  const errorOf = (name: string): string | undefined => errors.value.fields.get(id(name));
  const patch = (name: string, value: Partial<Card['step']>): void =>
    change((before) => patchCard(before, key, value), id(name));
  const assetOf = (wanted: string | undefined) => board.assets.find((asset) => asset.id === wanted);
  const [picture, narration] = [assetOf(step.asset), assetOf(step.narration)];
  const choose = async (accept: string, take: (key: string, file: File) => void): Promise<void> => {
    const [file] = await chooseFiles(accept);
    if (file) take(key, file);
  };
  const choosePicture = (): void => void choose(PICTURES, setPicture);
  const voice = {
    id: id('narration'),
    onChoose: (): void => void choose(SOUNDS, setNarration),
    onRemove: (): void => change((before) => patchCard(before, key, { narration: undefined })),
  };
  const name = `Step ${index + 1}`;
  const hasHiddenError = ['motion', 'transitionSeconds', 'alt', 'focus', 'id'].some((field) =>
    errorOf(field),
  );

  return (
    <li
      class={`card ${selected.value === key ? 'selected' : ''} ${over.value ? 'over' : ''} ${isDragged ? 'dragged' : ''} ${line ? `line-${line}` : ''}`}
      data-key={key}
      aria-label={step.title ? `${name}: ${step.title}` : name}
      onFocusCapture={() => {
        selected.value = key;
        actions.look(key);
      }}
      onKeyDown={(event) => {
        if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
        event.preventDefault();
        actions.move(key, event.key === 'ArrowUp' ? -1 : 1);
      }}
      onDragOver={(event) => {
        if (!bringsFiles(event)) return;
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => (over.value = false)}
      onDrop={(event) => {
        over.value = false;
        if (!bringsFiles(event)) return;
        event.preventDefault();
        dropOnCard(key, [...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <button
        type="button"
        class="card-grip"
        aria-label={`Move ${name}: arrow keys up and down`}
        title="Drag to move, or use the arrow keys"
        onPointerDown={(event) => actions.grab(key, event)}
        onKeyDown={(event) => {
          if (event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
          event.preventDefault();
          actions.move(key, event.key === 'ArrowUp' ? -1 : 1);
        }}
      >
        <span class="card-number">{index + 1}</span>
        <Icon name="grip" size={16} />
      </button>

      <StepPicture id={id('asset')} card={card} asset={picture} name={name} onChoose={choosePicture} />

      <div class="card-words">
        <input
          id={id('title')}
          class="card-title"
          aria-label={`${name}, title`}
          placeholder="Title"
          value={step.title ?? ''}
          autocomplete="off"
          onInput={(event) => patch('title', { title: event.currentTarget.value })}
          {...invalid(id('title'), errorOf('title'))}
        />
        <FieldError id={id('title')} message={errorOf('title')} />
        <GrowingText
          id={id('text')}
          label={`${name}, words`}
          placeholder="Words"
          value={step.text ?? ''}
          onInput={(text) => patch('text', { text })}
          error={errorOf('text')}
        />
        <FieldError id={id('text')} message={errorOf('text')} />
        <FieldError id={id('asset')} message={errorOf('asset')} />
        <FileTrouble
          id={id('asset')}
          place={`${name}, picture`}
          asset={picture}
          use="picture"
          onChoose={choosePicture}
          onRemove={() => change((before) => patchCard(before, key, showing(undefined)))}
        />
        <FileTrouble {...voice} place={`${name}, narration`} asset={narration} use="narration" />
        <div class="card-meta">
          <label
            class="chip chip-field"
            title="Seconds. Leave it empty to follow the narration, the video or the reading time"
          >
            <Icon name="clock" size={15} />
            <input
              id={id('durationSeconds')}
              inputMode="decimal"
              autocomplete="off"
              aria-label={`${name}, duration in seconds`}
              placeholder={seconds === undefined ? 'auto' : seconds.toFixed(1)}
              value={step.durationSeconds ?? ''}
              onInput={(event) =>
                patch('durationSeconds', {
                  durationSeconds: typedNumber(event.currentTarget.value),
                } as Partial<Card['step']>)
              }
              {...invalid(id('durationSeconds'), errorOf('durationSeconds'))}
            />
            <span class="muted">s</span>
          </label>
          {failureOf(narration) === undefined && (
            <StepNarration {...voice} narration={step.narration} asset={narration} name={name} />
          )}
          <button
            type="button"
            class={`chip chip-button ${hasHiddenError ? 'chip-bad' : ''}`}
            aria-expanded={more.value || hasHiddenError}
            aria-label={`${name}, more: ${describe(card)}`}
            onClick={() => (more.value = !more.value)}
          >
            <Icon name="sliders" size={15} /> {describe(card)}
          </button>
        </div>
        <FieldError id={id('durationSeconds')} message={errorOf('durationSeconds')} />
        <FieldError id={id('narration')} message={errorOf('narration')} />
        {(more.value || hasHiddenError) && (
          <MoreOfStep card={card} name={name} patch={patch} errorOf={errorOf} id={id} />
        )}
        {warnings.map(({ code, message }) => (
          <p class="card-warning" key={code + message}>
            <Icon name="warning" size={14} /> {message}
          </p>
        ))}
      </div>

      <div class="card-tools">
        <IconButton
          icon="up"
          size={16}
          label={`Move ${name} up`}
          disabled={index === 0}
          onClick={() => actions.move(key, -1)}
        />
        <IconButton
          icon="down"
          size={16}
          label={`Move ${name} down`}
          disabled={index === board.cards.length - 1}
          onClick={() => actions.move(key, 1)}
        />
        <IconButton
          icon="copy"
          size={16}
          label={`Duplicate ${name}`}
          onClick={() => actions.duplicate(key)}
        />
        <IconButton icon="trash" size={16} label={`Delete ${name}`} onClick={() => actions.remove(key)} />
      </div>
    </li>
  );
}

const TRANSITIONS: Record<string, string> = { none: 'Cut', fade: 'Fade', slide: 'Slide', wipe: 'Wipe' };
const MOTIONS: Record<string, string> = {
  zoomIn: 'zoom in',
  zoomOut: 'zoom out',
  panLeft: 'pan left',
  panRight: 'pan right',
};

/** The transition and the motion of the step, in a word or two. */
function describe({ step }: Card): string {
  const type = step.transition?.type ?? 'fade';
  const motion = MOTIONS[step.motion ?? 'none'];
  return [TRANSITIONS[type] ?? type, motion].filter(Boolean).join(', ');
}

/** A text field that grows with its text. */
function GrowingText({
  id,
  label,
  placeholder,
  value,
  onInput,
  error,
}: {
  id: string;
  label: string;
  placeholder: string;
  value: string;
  onInput(text: string): void;
  error: string | undefined;
}): JSX.Element {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const area = field.current;
    if (!area || CSS.supports('field-sizing', 'content')) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  }, [value]);
  return (
    <textarea
      id={id}
      ref={field}
      class="card-text"
      rows={2}
      aria-label={label}
      placeholder={placeholder}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
      {...invalid(id, error)}
    />
  );
}
