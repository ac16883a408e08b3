const WIDTH = 160;

/** The size of a thumbnail of a picture of that size, in pixels. */
export const thumbnailSize = ({ width, height }: { width: number; height: number }) => ({
  width: WIDTH,
  height: Math.max(2, Math.round((WIDTH * height) / width / 2) * 2),
});
