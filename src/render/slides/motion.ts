import type { Focus, Motion } from '../../job/previewJob.types.ts';
import type { Spotlight, View } from '../../media/picture/view.ts';

/** How the view of a slide's picture moves; the source is the picture at `scale` times the size of the frame. */
export interface Movement {
  scale: number;
  /** What is shown at `t` (0–1), in pixels of the source, and what stays bright, in pixels of the frame. */
  at(t: number): { view: View; light?: Spotlight };
}

/** How much closer a zoom ends, and how much wider than the frame a pan's picture is. */
const ZOOM = 1.14;
/** The closest that a view comes to a focus. */
const CLOSEST = 2;
/** The focus fills this much of the frame, so that one sees where it lies. */
const FOCUS_SHARE = 0.62;
const DIM = 0.55;
/** A focus is reached within this share of the step, and held for the rest. */
const ARRIVED = 0.45;

/**
 * Starts and stops softly, because the picture stands still before and after (in transitions).
 * @param place where the picture lies in the frame, in fractions of the frame; it may be larger than the frame
 */
export function movementOf(
  { motion = 'none', focus }: { motion?: Motion | undefined; focus?: Focus | undefined },
  { width, height }: { width: number; height: number },
  place: View,
): Movement | undefined {
  if (focus) return towards(focus, { width, height }, place);
  if (motion === 'none') return undefined;
  const [wide, high] = [width * ZOOM, height * ZOOM];
  const centred = (zoom: number): View => {
    const [w, h] = [wide / zoom, high / zoom];
    return { left: (wide - w) / 2, top: (high - h) / 2, width: w, height: h };
  };
  const panned = (share: number): View => ({
    left: (wide - width) * share,
    top: (high - height) / 2,
    width,
    height,
  });
  const views: Record<Exclude<Motion, 'none'>, (eased: number) => View> = {
    zoomIn: (eased) => centred(ZOOM ** eased),
    zoomOut: (eased) => centred(ZOOM ** (1 - eased)),
    panLeft: (eased) => panned(1 - eased),
    panRight: (eased) => panned(eased),
  };
  return { scale: ZOOM, at: (t) => ({ view: views[motion](ease(t)) }) };
}

function towards(focus: Focus, frame: { width: number; height: number }, place: View): Movement {
  // The focus in fractions of the frame.
  const box = {
    left: place.left + focus.x * place.width,
    top: place.top + focus.y * place.height,
    width: focus.width * place.width,
    height: focus.height * place.height,
  };
  const zoom = Math.min(CLOSEST, Math.max(1, FOCUS_SHARE / Math.max(box.width, box.height)));
  const within = (centre: number, size: number): number => Math.min(1 - size, Math.max(0, centre - size / 2));
  const at = (t: number): { view: View; light: Spotlight } => {
    const eased = ease(Math.min(1, t / ARRIVED));
    const size = zoom ** -eased;
    const target = 1 / zoom;
    const left = within(box.left + box.width / 2, target) * share(size, target);
    const top = within(box.top + box.height / 2, target) * share(size, target);
    const source = { width: frame.width * zoom, height: frame.height * zoom };
    const toFrame = (value: number, from: number, length: number): number => ((value - from) / size) * length;
    return {
      view: {
        left: left * source.width,
        top: top * source.height,
        width: size * source.width,
        height: size * source.height,
      },
      light: {
        left: toFrame(box.left, left, frame.width),
        top: toFrame(box.top, top, frame.height),
        width: (box.width / size) * frame.width,
        height: (box.height / size) * frame.height,
        softness: frame.height * 0.03,
        strength: DIM * eased,
      },
    };
  };
  return { scale: zoom, at };
}

/** How far the edge of the view has gone towards its place when it is `size` large on the way from 1 to `target`. */
const share = (size: number, target: number): number => (target === 1 ? 0 : (1 - size) / (1 - target));

/** Half a wave of a sine: no jerk at either end. */
const ease = (t: number): number => (1 - Math.cos(Math.PI * Math.min(1, Math.max(0, t)))) / 2;
