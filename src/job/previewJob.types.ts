// Generated from schemas/preview-job.schema.json by scripts/generate-types.ts. Change the schema instead.

/**
 * 1 to 128 characters of A-Z a-z 0-9 . _ -
 */
export type Id = string;
/**
 * 1 to 128 characters of A-Z a-z 0-9 . _ -, not all digits.
 */
export type JobId = string;
/**
 * A SHA-256 digest: 64 lower-case hex digits.
 */
export type Sha256 = string;
/**
 * An http:// or https:// URL of at most 2048 characters.
 */
export type HttpUrl = string;
/**
 * WIDTHxHEIGHT in pixels, for example 1280x720; each side even and from 160 to 3840.
 */
export type Resolution = string;
/**
 * A language tag (BCP 47), for example en, de-AT or zh-Hant.
 */
export type LanguageTag = string;
/**
 * How soon a waiting job is taken.
 */
export type Priority = 'low' | 'normal' | 'high';
/**
 * How the view moves over the picture.
 */
export type Motion = 'none' | 'zoomIn' | 'zoomOut' | 'panLeft' | 'panRight';
/**
 * What an asset is.
 */
export type AssetType = 'image' | 'audio' | 'video';
/**
 * A look of title card and words.
 */
export type Theme = 'midnight' | 'paper' | 'forest' | 'mono';
/**
 * Something that a render leaves.
 */
export type OutputName = 'video' | 'poster' | 'storyboard' | 'captions' | 'chapters' | 'teaser';

/**
 * A storyboard that shall become a video preview, and how to treat it.
 */
export interface PreviewJob {
  /**
   * Names the job within its project. The same id with the same job is one job, however often it is sent.
   */
  jobId: JobId;
  /**
   * The project that the job belongs to.
   */
  projectId: Id;
  /**
   * The sender's id of this request; it is in every log line of the job.
   */
  requestId: Id;
  /**
   * True plans the preview and renders nothing.
   */
  dryRun: boolean;
  /**
   * High before normal before low, among the jobs that wait.
   */
  priority?: Priority;
  /**
   * The sender's own count. It is kept, and never used for retrying.
   */
  attempts?: number;
  /**
   * When the sender made the job, RFC 3339.
   */
  createdAt?: string;
  /**
   * When the sender last changed the job, RFC 3339.
   */
  updatedAt?: string;
  /**
   * Who is told, once, when the job ends.
   */
  webhook?: Webhook;
  /**
   * A key, for example a storyboard's id: a newer job of the same project and key cancels the older ones that have not finished.
   */
  supersedes?: Id;
  /**
   * What shall be seen and heard.
   */
  previewRequest: PreviewRequest;
}
/**
 * An address that is told when the job ends.
 */
export interface Webhook {
  /**
   * Where the notice is posted.
   */
  url: HttpUrl;
}
/**
 * What shall be seen and heard.
 */
export interface PreviewRequest {
  /**
   * Stands on the title card.
   */
  title?: string;
  /**
   * Stands below the title.
   */
  description?: string;
  /**
   * The sender's id of the chapter that the storyboard belongs to.
   */
  chapterId?: string;
  /**
   * The storyboard, in order. Without steps the preview is the title card alone.
   *
   * @maxItems 500
   */
  steps: Step[];
  /**
   * The pictures, videos and sounds that steps and audio name by id.
   *
   * @maxItems 1000
   */
  assets: Asset[];
  /**
   * The sound of the whole preview.
   */
  audio: AudioOptions;
  /**
   * How the preview is made.
   */
  options?: Options;
  /**
   * Anything the sender wants to find again in the manifest (author, tags).
   */
  metadata?: Metadata;
}
/**
 * One step of the storyboard: a picture or a video, words, and what is said.
 */
export interface Step {
  /**
   * Names the step in the manifest and in warnings; unique among the steps.
   */
  id?: Id;
  /**
   * The headline of the step.
   */
  title?: string;
  /**
   * The words of the step.
   */
  text?: string;
  /**
   * Id of the image or video that is shown.
   */
  asset?: Id;
  /**
   * How long the step lasts. Without it: its narration plus 0.6 s, else the length of its video, else as long as its words take to read.
   */
  durationSeconds?: number;
  /**
   * Id of the audio asset that is spoken during the step.
   */
  narration?: Id;
  /**
   * True: the sound of the video that the step shows is heard. It gives way to a narration, and music gives way to it.
   */
  videoSound?: boolean;
  /**
   * Makes the sound of the video louder (above 0) or softer (below 0).
   */
  videoGainDb?: number;
  /**
   * How the step comes onto the screen.
   */
  transition?: Transition;
  /**
   * How the view moves over the picture.
   */
  motion?: Motion;
  /**
   * The part of the picture that matters.
   */
  focus?: Focus;
  /**
   * What the picture shows, for those who do not see it.
   */
  alt?: string;
}
/**
 * How a step comes onto the screen.
 */
export interface Transition {
  /**
   * The kind of the transition; none is a cut.
   */
  type: 'none' | 'fade' | 'slide' | 'wipe';
  /**
   * How long the transition takes; not longer than the step.
   */
  durationSeconds?: number;
}
/**
 * A rectangle in the picture, in fractions of its width and height from the top left corner.
 */
export interface Focus {
  /**
   * Left edge, as a fraction of the picture's width.
   */
  x: number;
  /**
   * Top edge, as a fraction of the picture's height.
   */
  y: number;
  /**
   * Width, as a fraction of the picture's width; x + width is at most 1.
   */
  width: number;
  /**
   * Height, as a fraction of the picture's height; y + height is at most 1.
   */
  height: number;
}
/**
 * A picture, a video or a sound, and where its bytes are: exactly one of url, upload, data and path.
 */
export interface Asset {
  /**
   * The name that steps and audio use; unique among the assets.
   */
  id: Id;
  /**
   * What the asset is.
   */
  type: AssetType;
  /**
   * Where the bytes are fetched from.
   */
  url?: HttpUrl;
  /**
   * The digest that POST /api/assets answered.
   */
  upload?: Sha256;
  /**
   * The bytes themselves as a base64 data: URL, at most 1 MiB decoded.
   */
  data?: string;
  /**
   * A file below the folder of the job file. Read by the command line only; refused over HTTP.
   */
  path?: string;
  /**
   * Where given, the bytes must have this digest.
   */
  sha256?: Sha256;
  /**
   * What the asset shows, for those who do not see it.
   */
  alt?: string;
}
/**
 * The sound of the whole preview.
 */
export interface AudioOptions {
  /**
   * Music below everything else.
   */
  music?: Music;
  /**
   * One narration for the whole preview, from its start.
   */
  narration?: NarrationTrack;
  /**
   * Lowers the music while someone speaks.
   */
  ducking?: boolean;
  /**
   * Integrated loudness of the soundtrack (ITU-R BS.1770).
   */
  loudnessLufs?: number;
}
/**
 * Music below the whole preview.
 */
export interface Music {
  /**
   * Id of an audio asset.
   */
  asset: Id;
  /**
   * Louder above 0, softer below.
   */
  gainDb?: number;
  /**
   * Starts again when it ends before the preview does.
   */
  loop?: boolean;
}
/**
 * One narration for the whole preview.
 */
export interface NarrationTrack {
  /**
   * Id of an audio asset.
   */
  asset: Id;
  /**
   * Louder above 0, softer below.
   */
  gainDb?: number;
}
/**
 * How the preview is made.
 */
export interface Options {
  /**
   * Size of the picture in pixels; 1280x720 where it is not given.
   */
  resolution?: Resolution;
  /**
   * Frame rate of what moves.
   */
  fps?: number;
  /**
   * mp4 is H.264 and AAC, webm is VP9 and Opus.
   */
  format?: 'mp4' | 'webm';
  /**
   * Burns the captions into the picture; caption files are written with or without it.
   */
  includeCaptions?: boolean;
  /**
   * Colours and type of title card and words.
   */
  theme?: Theme;
  /**
   * The language of the words; it decides how lines break and what captions say their language is.
   */
  locale?: LanguageTag;
  /**
   * What the render leaves; where it is not given everything but the teaser, an animated WebP of the first seconds. The manifest is always written.
   */
  outputs?: OutputName[];
  /**
   * What makes the preview look like the sender's own.
   */
  brand?: Brand;
  /**
   * What happens where a picture or a sound of a step cannot be used: the job fails and names it, or the step shows a placeholder, or is silent, with a warning.
   */
  onAssetError?: 'fail' | 'placeholder';
}
/**
 * Free-form; carried into the manifest as it is.
 */
export interface Metadata {
  [k: string]: unknown;
}
/**
 * Colour and logo of the sender.
 */
export interface Brand {
  /**
   * Takes the place of the theme's accent; made lighter or darker where words in it could not be read.
   */
  color?: string;
  /**
   * Id of an image asset, shown small in the upper right corner; PNG or WebP with transparency looks best.
   */
  logo?: Id;
}
