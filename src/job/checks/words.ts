import type { InputError } from '../../errors.ts';
import type { PreviewJob } from '../previewJob.types.ts';

/** C0 and C1 controls but tab and line ends, and halves of surrogate pairs: no font has them, text layout stops at them. */
const UNPRINTABLE = /(?![\t\n\r])\p{Cc}|\p{Cs}/u;

/** The words that are set or spoken of consist of characters that can be set. */
export function checkWords({ previewRequest }: PreviewJob): InputError[] {
  const { title, description, steps, assets } = previewRequest;
  const errors: InputError[] = [];
  const check = (text: string | undefined, place: () => string): void => {
    const found = text === undefined ? undefined : UNPRINTABLE.exec(text)?.[0];
    if (found === undefined) return;
    const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    const message = `must not contain the character U+${code}`;
    errors.push({ pointer: `/previewRequest/${place()}`, message });
  };
  check(title, () => 'title');
  check(description, () => 'description');
  for (const [index, step] of steps.entries()) {
    check(step.title, () => `steps/${index}/title`);
    check(step.text, () => `steps/${index}/text`);
    check(step.alt, () => `steps/${index}/alt`);
  }
  for (const [index, { alt }] of assets.entries()) check(alt, () => `assets/${index}/alt`);
  return errors;
}
