/** The title card opens a preview that has something to say there, and is all there is where there are no steps. */
export const hasTitleCard = (request: {
  title?: string | undefined;
  description?: string | undefined;
  steps: readonly unknown[];
}): boolean => Boolean(request.title || request.description) || request.steps.length === 0;
