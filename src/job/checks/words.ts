import type { InputError } from '../../errors.ts';
import type { PreviewJob } from '../previewJob.types.ts';

/** C0 and C1 controls but tab and line ends, and halves of surrogate pairs: no font has them, text layout stops at them. */
const UNPRINTABLE = /(?![\t\n\r])\p{Cc}|\p{Cs}/u;

/** The words that are set or spoken of consist of characters that can be set. */
export function checkWords({ previewRequest }: PreviewJob): InputError[] {
  const { title, description, steps, assets } = previewRequest;
  return [
    ...checkTexts('/previewRequest', { title, description }),
    ...steps.flatMap((step, index) =>
      checkTexts(`/previewRequest/steps/${index}`, { title: step.title, text: step.text, alt: step.alt }),
    ),
    ...assets.flatMap((asset, index) => checkTexts(`/previewRequest/assets/${index}`, { alt: asset.alt })),
  ];
}

function checkTexts(pointer: string, texts: Record<string, string | undefined>): InputError[] {
  return Object.entries(texts).flatMap(([name, text]) => {
    const found = text === undefined ? undefined : UNPRINTABLE.exec(text)?.[0];
    if (found === undefined) return [];
    const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return [{ pointer: `${pointer}/${name}`, message: `must not contain the character U+${code}` }];
  });
}
