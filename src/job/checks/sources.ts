import type { InputError } from '../../errors.ts';
import { base64Bytes, MAX_DATA_BYTES, parseDataUrl } from '../dataUrl.ts';
import type { Asset, AssetType, PreviewJob } from '../previewJob.types.ts';

/** URLs can be parsed. Whether their address may be opened is decided when it is opened. */
export function checkUrls({ webhook, previewRequest: { assets } }: PreviewJob): InputError[] {
  const check = (pointer: string, url: string | undefined): InputError[] =>
    url === undefined || URL.canParse(url)
      ? []
      : [{ pointer, message: 'is not a URL; check its host and port' }];
  return [
    ...check('/webhook/url', webhook?.url),
    ...assets.flatMap((asset, index) => check(`/previewRequest/assets/${index}/url`, asset.url)),
  ];
}

/** data: URLs are base64, small, and of a media type that fits the asset's type. */
export function checkDataUrls({ previewRequest: { assets } }: PreviewJob): InputError[] {
  return assets.flatMap((asset, index) => {
    const message = asset.data === undefined ? undefined : dataComplaint(asset.data, asset.type);
    return message === undefined ? [] : [{ pointer: `/previewRequest/assets/${index}/data`, message }];
  });
}

function dataComplaint(data: string, type: AssetType): string | undefined {
  // Twice the length that base64 needs; anything longer is not worth parsing.
  if (data.length > 2 * MAX_DATA_BYTES) return TOO_LARGE;
  const url = parseDataUrl(data);
  if (!url) return 'must be a base64 data: URL, for example data:image/png;base64,iVBORw0KGgo=';
  if (!fitsType(url.mediaType, type)) {
    return `has the media type ${url.mediaType}, which does not fit the type ${type} of the asset`;
  }
  const bytes = base64Bytes(url.base64);
  if (bytes === undefined) return 'is not valid base64 after the comma (RFC 4648, with padding)';
  if (bytes === 0) return 'has no bytes after the comma';
  return bytes > MAX_DATA_BYTES ? TOO_LARGE : undefined;
}

const TOO_LARGE = 'must be at most 1 MiB decoded; upload larger files with POST /api/assets';

/** Ogg sound is often called application/ogg; what the bytes are is found out when they are read. */
function fitsType(mediaType: string, type: AssetType): boolean {
  return mediaType.startsWith(`${type}/`) || (type === 'audio' && mediaType === 'application/ogg');
}

/** Paths stay below the folder of the job file. Symbolic links are looked at when the file is read. */
export function checkPaths({ previewRequest: { assets } }: PreviewJob): InputError[] {
  return assets.flatMap((asset: Asset, index) =>
    asset.path === undefined || staysBelow(asset.path)
      ? []
      : [
          {
            pointer: `/previewRequest/assets/${index}/path`,
            message:
              'must be a relative path with forward slashes that stays below the folder of the job file',
          },
        ],
  );
}

function staysBelow(path: string): boolean {
  const isRelative = !path.startsWith('/') && !/^[A-Za-z]:/.test(path);
  return isRelative && !path.includes('\\') && !path.includes('\0') && !path.split('/').includes('..');
}
