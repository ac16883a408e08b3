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
 * A colour as #rrggbb, for example #d9480f.
 */
export type Color = string;
/**
 * A language tag (BCP 47), for example en, de-AT or zh-Hant.
 */
export type LanguageTag = string;
/**
 * Waiting jobs with a higher priority are rendered first.
 */
export type Priority = 'low' | 'normal' | 'high';
/**
 * How the camera moves over the picture.
 */
export type Motion = 'none' | 'zoomIn' | 'zoomOut' | 'panLeft' | 'panRight';
/**
 * What an asset is.
 */
export type AssetType = 'image' | 'audio' | 'video';
/**
 * Colours and typeface.
 */
export type Theme = 'midnight' | 'paper' | 'forest' | 'mono';
/**
 * A file that the render produces.
 */
export type OutputName = 'video' | 'poster' | 'storyboard' | 'captions' | 'chapters' | 'teaser';

/**
 * A storyboard, and how to render it as a video preview.
 */
export interface PreviewJob {
  /**
   * Names the job within its project. Send the same job again under its id, and nothing is rendered twice.
   */
  jobId: JobId;
  /**
   * The project that the job belongs to.
   */
  projectId: Id;
  /**
   * The sender's id for this request. Every log line about the job has it.
   */
  requestId: Id;
  /**
   * true plans the preview and renders nothing.
   */
  dryRun: boolean;
  /**
   * Waiting jobs with a higher priority are rendered first.
   */
  priority?: Priority;
  /**
   * The sender's own count. The service keeps it and does not use it.
   */
  attempts?: number;
  /**
   * When the sender created the job (RFC 3339).
   */
  createdAt?: string;
  /**
   * When the sender last changed the job (RFC 3339).
   */
  updatedAt?: string;
  /**
   * Where to send a message when the job ends.
   */
  webhook?: Webhook;
  /**
   * A key of the sender's choice, for example a storyboard's id. This job cancels all unfinished older jobs of the project with the same key.
   */
  supersedes?: Id;
  /**
   * What the preview shows and plays.
   */
  previewRequest: PreviewRequest;
}
/**
 * An address that gets a message when the job ends.
 */
export interface Webhook {
  /**
   * Where the message is posted.
   */
  url: HttpUrl;
}
/**
 * What the preview shows and plays.
 */
export interface PreviewRequest {
  /**
   * Shown on the title card.
   */
  title?: string;
  /**
   * Shown below the title.
   */
  description?: string;
  /**
   * The sender's id for the chapter that the storyboard belongs to.
   */
  chapterId?: string;
  /**
   * The steps in the order in which they are shown. Without any, the preview is only the title card.
   *
   * @maxItems 500
   */
  steps: Step[];
  /**
   * The pictures, videos and sounds that steps and audio refer to by id.
   *
   * @maxItems 1000
   */
  assets: Asset[];
  /**
   * The sound of the whole preview.
   */
  audio: AudioOptions;
  /**
   * How the preview is rendered.
   */
  options?: Options;
  /**
   * Anything the sender wants to find in the manifest, for example author or tags.
   */
  metadata?: Metadata;
}
/**
 * One step of the storyboard: a picture or a video, text, and narration.
 */
export interface Step {
  /**
   * Names the step in the manifest. Unique among the steps.
   */
  id?: Id;
  /**
   * The headline of the step.
   */
  title?: string;
  /**
   * The text below the headline.
   */
  text?: string;
  /**
   * Id of the image or video asset that is shown.
   */
  asset?: Id;
  /**
   * How long the step lasts. By default as long as its narration plus 0.6 s; without narration, as long as its video; without either, as long as its text takes to read.
   */
  durationSeconds?: number;
  /**
   * Id of the audio asset that is played as narration during the step.
   */
  narration?: Id;
  /**
   * true plays the sound of the step's video. With ducking, the music is lowered for it, and it is lowered for narrations.
   */
  videoSound?: boolean;
  /**
   * Makes the video's sound louder (above 0) or softer (below 0). Needs videoSound.
   */
  videoGainDb?: number;
  /**
   * How the step appears.
   */
  transition?: Transition;
  /**
   * How the camera moves over the picture.
   */
  motion?: Motion;
  /**
   * The part of the picture to draw attention to.
   */
  focus?: Focus;
  /**
   * A description of the picture for people who cannot see it.
   */
  alt?: string;
}
/**
 * How a step appears.
 */
export interface Transition {
  /**
   * The kind of transition. none is a cut.
   */
  type: 'none' | 'fade' | 'slide' | 'wipe';
  /**
   * How long the transition takes. At most the step's own durationSeconds, if it has one.
   */
  durationSeconds?: number;
}
/**
 * A rectangle in the picture. All values are fractions of the picture's width or height, from the top left corner.
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
 * A picture, a video or a sound. It has exactly one source: url, upload, data or path.
 */
export interface Asset {
  /**
   * The name by which steps and audio refer to the asset. Unique among the assets.
   */
  id: Id;
  /**
   * What the file is. The bytes must match.
   */
  type: AssetType;
  /**
   * Where the worker fetches the file.
   */
  url?: HttpUrl;
  /**
   * The digest that POST /api/assets answered.
   */
  upload?: Sha256;
  /**
   * The file itself as a base64 data: URL, at most 1 MiB decoded.
   */
  data?: string;
  /**
   * A relative path below the folder of the job file. Only the command line reads it; the HTTP API refuses it.
   */
  path?: string;
  /**
   * If given, the bytes must have this digest.
   */
  sha256?: Sha256;
  /**
   * A description of the asset for people who cannot see it.
   */
  alt?: string;
}
/**
 * The sound of the whole preview.
 */
export interface AudioOptions {
  /**
   * Music that plays during the whole preview.
   */
  music?: Music;
  /**
   * One narration for the whole preview, from its start.
   */
  narration?: NarrationTrack;
  /**
   * Lowers the music during narrations and video sound, and video sound during narrations.
   */
  ducking?: boolean;
  /**
   * Integrated loudness of the soundtrack (ITU-R BS.1770).
   */
  loudnessLufs?: number;
}
/**
 * Music that plays during the whole preview.
 */
export interface Music {
  /**
   * Id of an audio asset.
   */
  asset: Id;
  /**
   * Louder (above 0) or softer (below 0).
   */
  gainDb?: number;
  /**
   * Starts the music again when it ends before the preview does.
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
   * Louder (above 0) or softer (below 0).
   */
  gainDb?: number;
}
/**
 * How the preview is rendered.
 */
export interface Options {
  /**
   * Size of the picture in pixels; 1280x720 by default.
   */
  resolution?: Resolution;
  /**
   * Frame rate of moving pictures.
   */
  fps?: number;
  /**
   * mp4 is H.264 and AAC, webm is VP9 and Opus.
   */
  format?: 'mp4' | 'webm';
  /**
   * true draws the captions into the picture, in place of the step's text. Caption files are written either way.
   */
  includeCaptions?: boolean;
  /**
   * Colours and typeface.
   */
  theme?: Theme;
  /**
   * The language of the texts. It decides how lines break and which language the captions declare.
   */
  locale?: LanguageTag;
  /**
   * What the render produces. By default everything but the teaser, which is an animated WebP of the first seconds. The manifest is always written.
   */
  outputs?: OutputName[];
  /**
   * Colour and logo of the sender.
   */
  brand?: Brand;
  /**
   * What happens when an asset cannot be used. fail fails the job and names the asset. placeholder continues with a warning: it shows a symbol for a picture, leaves out a logo, and is silent for a sound.
   */
  onAssetError?: 'fail' | 'placeholder';
}
/**
 * Anything; it is copied into the manifest unchanged.
 */
export interface Metadata {
  [k: string]: unknown;
}
/**
 * Colour and logo of the sender.
 */
export interface Brand {
  /**
   * Replaces the theme's accent colour. It is made lighter or darker where text in it would be hard to read.
   */
  color?: Color;
  /**
   * Id of an image asset, shown small in the upper right corner. PNG or WebP with transparency looks best.
   */
  logo?: Id;
}
