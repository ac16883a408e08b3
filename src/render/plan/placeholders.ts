import { PreviewError } from '../../errors.ts';
import type { Warning } from '../../job/jobRecord.ts';
import type { SlideContent } from './slideContent.ts';

/** The code of the warning that a placeholder is shown, or a step is silent, because an asset cannot be used. */
export const ASSET_REPLACED = 'asset_replaced';

/**
 * The picture of an entry cannot be decoded. The reason is only in the cause: libvips has one list of errors for the whole
 * process, so where several pictures fail at once, only one of them learns its reason.
 * @param entry which of the timeline, from 0
 */
export const undecodable = (entry: number, cause: unknown): PreviewError =>
  new PreviewError(
    'asset_corrupt',
    `The picture of slide ${entry + 1} cannot be decoded; it is damaged or truncated. Send the file again.`,
    { cause },
  );

/** The warning that a placeholder is shown instead. @throws the error where the job wants none */
export function replaced(content: SlideContent, error: PreviewError): Warning {
  if (!content.placeholder) throw error;
  const message = `${error.message} Instead, a placeholder is shown.`;
  return {
    code: ASSET_REPLACED,
    message,
    ...(content.counter ? { step: content.counter.step - 1 } : {}),
  };
}

export const undecodableLogo = (cause: unknown): PreviewError =>
  new PreviewError(
    'asset_corrupt',
    'The logo cannot be decoded; it is damaged or truncated. Send the file again.',
    { cause },
  );

/** The warning that the logo is left out. @throws the error where the job wants no preview without it */
export function withoutLogo({ mayLackLogo }: SlideContent, error: unknown): Warning {
  if (!mayLackLogo || !(error instanceof PreviewError)) throw error;
  return { code: ASSET_REPLACED, message: `${error.message} Instead, it is left out.` };
}
