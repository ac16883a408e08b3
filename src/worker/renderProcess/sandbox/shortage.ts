/** What V8, glib, libvips, FFmpeg and the C library say where they get no more memory. */
const SHORTAGE = /out of memory|failed to allocate|cannot allocate|allocation failed|bad_alloc/i;

/** True for a line or a message that tells of a lack of memory. */
export const tellsOfShortage = (text: string): boolean => SHORTAGE.test(text);
