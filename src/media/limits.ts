/** A file that exceeds a limit. The message continues a sentence that begins with "it". */
export class BeyondLimits extends Error {}

/** A picture or a video with too many pixels. */
export class TooManyPixels extends BeyondLimits {}

/** A file in a supported container, with something unsupported in it. The message continues a sentence that begins with "it". */
export class NotAccepted extends Error {}

/**
 * How many pixels of a picture are decoded, in millions. JPEG is decoded at a reduced scale. AVIF holds all of the picture
 * several times: 25 million took 520 MB, 100 million 1.8 GB and 4 s.
 */
export const MAX_MEGAPIXELS = { jpeg: 100, png: 100, webp: 100, avif: 17 } as const;
/** Of an animation; the first frame is shown. */
export const MAX_PAGES = 256;

/** Of a video, and what its decoder may be told on the way: 4096 x 4096, of which it keeps up to 16. */
export const MAX_VIDEO_PIXELS = 4096 * 4096;
/** Phones put several tracks of measurements beside picture and sound. */
export const MAX_STREAMS = 16;
export const MAX_CHANNELS = 8;
export const SAMPLE_RATES = { min: 4000, max: 384_000 } as const;
export const MAX_SECONDS = 2 * 3600;
/** Two hours of AAC at 48 kHz are 337,500. */
export const MAX_PACKETS = 500_000;
/** Of one track, as an MP4's tables name them: PCM is not among what is accepted. */
export const MAX_SAMPLES = 4_000_000;
