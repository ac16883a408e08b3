import type { InputError } from '../../errors.ts';
import type { Focus, PreviewJob } from '../previewJob.types.ts';
import { readResolution } from '../resolution.ts';

const MIN_SIDE = 160;
const MAX_SIDE = 3840;

/** Both sides are in range, and even because 4:2:0 video stores colour for squares of 2x2 pixels. */
export function checkResolution({ previewRequest: { options } }: PreviewJob): InputError[] {
  if (options?.resolution === undefined) return [];
  const { width, height } = readResolution(options.resolution);
  const wrong = [width, height].find((side) => side % 2 !== 0 || side < MIN_SIDE || side > MAX_SIDE);
  if (wrong === undefined) return [];
  return [
    {
      pointer: '/previewRequest/options/resolution',
      message: `must have sides that are even and from ${MIN_SIDE} to ${MAX_SIDE}, for example 1280x720; ${wrong} is not`,
    },
  ];
}

/**
 * The rectangle of a focus lies within the picture. No tolerance is needed: two doubles that are nearest to
 * fractions with the sum 1, such as 0.7 and 0.3, never add up to more than 1.
 */
export function checkFocus({ previewRequest: { steps } }: PreviewJob): InputError[] {
  return steps.flatMap(({ focus }, index) =>
    focus ? outside(focus, `/previewRequest/steps/${index}/focus`) : [],
  );
}

function outside({ x, y, width, height }: Focus, pointer: string): InputError[] {
  const check = (edge: 'x' | 'y', side: 'width' | 'height', end: number): InputError[] =>
    end <= 1
      ? []
      : [
          {
            pointer: `${pointer}/${side}`,
            message: `${edge} + ${side} must be at most 1; it is ${Number(end.toFixed(6))}`,
          },
        ];
  return [...check('x', 'width', x + width), ...check('y', 'height', y + height)];
}

/** A step whose length is given is long enough for its transition. */
export function checkTransitions({ previewRequest: { steps } }: PreviewJob): InputError[] {
  return steps.flatMap(({ transition, durationSeconds: stepSeconds }, index) => {
    const seconds = transition?.durationSeconds;
    if (seconds === undefined || stepSeconds === undefined || seconds <= stepSeconds) return [];
    return [
      {
        pointer: `/previewRequest/steps/${index}/transition/durationSeconds`,
        message: `must be at most the step's own durationSeconds, ${stepSeconds}`,
      },
    ];
  });
}
