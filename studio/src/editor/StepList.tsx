import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { addCard, duplicateCard, moveCard, removeCard } from '../storyboard/storyboard.ts';
import { announce, tell } from '../ui/announce.tsx';
import { Button } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import type { LivePreview } from './livePreview.ts';
import { type StepActions, StepCard } from './StepCard.tsx';
import { board, change } from './session.ts';

/** Near the window's edge a dragged card scrolls the page. */
const EDGE = 72;

/** The steps, in order. */
export function StepList({ live }: { live: LivePreview }): JSX.Element {
  const list = useRef<HTMLOListElement>(null);
  const dragged = useSignal<{ key: string; to: number } | undefined>(undefined);
  const { cards } = board.value;
  const version = live.version.value;
  const spans = live.spans.value;

  const focusOn = (key: string | undefined, what: string): void => {
    requestAnimationFrame(() => {
      const card = [...(list.current?.children ?? [])].find(
        (item) => (item as HTMLElement).dataset.key === key,
      );
      card?.querySelector<HTMLElement>(what)?.focus();
    });
  };
  const add = (at = board.peek().cards.length): void => {
    change((before) => {
      const [after, key] = addCard(before, {}, at);
      focusOn(key, '.card-title');
      return after;
    });
    announce(`Step ${at + 1} was added.`);
  };

  const actions: StepActions = {
    move(key, by) {
      const at = board.peek().cards.findIndex((card) => card.key === key);
      const to = at + by;
      if (to < 0 || to >= board.peek().cards.length) return;
      const held = document.activeElement as HTMLElement | null;
      change((before) => moveCard(before, key, to));
      announce(`Moved to place ${to + 1} of ${board.peek().cards.length}.`);
      // A moved element loses the focus in some browsers.
      requestAnimationFrame(() => held?.focus());
    },
    duplicate(key) {
      change((before) => {
        const [after, copy] = duplicateCard(before, key);
        focusOn(copy, '.card-title');
        return after;
      });
      announce('The step was duplicated.');
    },
    remove(key) {
      const at = board.peek().cards.findIndex((card) => card.key === key);
      change((before) => removeCard(before, key));
      const next = board.peek().cards[Math.min(at, board.peek().cards.length - 1)];
      focusOn(next?.key, '.card-title');
      tell(`Step ${at + 1} was deleted. Ctrl+Z brings it back.`);
    },
    grab(key, event) {
      if (event.button !== 0) return;
      event.preventDefault();
      const grip = event.currentTarget as HTMLElement;
      grip.focus();
      grip.setPointerCapture(event.pointerId);
      const from = board.peek().cards.findIndex((card) => card.key === key);
      const items = (): HTMLElement[] => [...(list.current?.children ?? [])] as HTMLElement[];
      dragged.value = { key, to: from };
      const onMove = ({ clientY }: PointerEvent): void => {
        if (clientY < EDGE) scrollBy(0, -12);
        if (clientY > innerHeight - EDGE) scrollBy(0, 12);
        const above = items().filter((item) => {
          const { top, height } = item.getBoundingClientRect();
          return item.dataset.key !== key && top + height / 2 < clientY;
        });
        dragged.value = { key, to: above.length };
      };
      const onEnd = (end: PointerEvent): void => {
        grip.removeEventListener('pointermove', onMove);
        grip.removeEventListener('pointerup', onEnd);
        grip.removeEventListener('pointercancel', onEnd);
        const to = dragged.peek()?.to ?? from;
        dragged.value = undefined;
        if (end.type === 'pointercancel' || to === from) return;
        change((before) => moveCard(before, key, to));
        announce(`Moved to place ${to + 1} of ${board.peek().cards.length}.`);
      };
      grip.addEventListener('pointermove', onMove);
      grip.addEventListener('pointerup', onEnd);
      grip.addEventListener('pointercancel', onEnd);
    },
    look: (key) => live.look(key),
  };

  const drag = dragged.value;
  const from = drag ? cards.findIndex(({ key }) => key === drag.key) : -1;
  // The line stands before the card that will follow.
  const lineAt = drag && drag.to !== from ? (drag.to > from ? drag.to + 1 : drag.to) : -1;
  return (
    <>
      <ol class="cards" ref={list}>
        {cards.map((card, index) => {
          const span = spans.find(({ key }) => key === card.key);
          const warnings = (version?.status.warnings ?? []).filter(
            ({ step }) => step !== undefined && version?.board.cards[step]?.key === card.key,
          );
          return (
            <StepCard
              key={card.key}
              card={card}
              board={board.value}
              index={index}
              seconds={span && span.end - span.start}
              warnings={warnings}
              actions={actions}
              isDragged={drag?.key === card.key}
              line={
                lineAt === index
                  ? 'before'
                  : lineAt === cards.length && index === cards.length - 1
                    ? 'after'
                    : undefined
              }
            />
          );
        })}
      </ol>
      <div class="cards-end">
        <Button icon="plus" onClick={() => add()}>
          Add a step
        </Button>
        <p class="muted">
          <Icon name="image" size={15} /> or drop pictures here, one for each step
        </p>
      </div>
    </>
  );
}
