import { AVERROR_EAGAIN, AVERROR_EOF, type FFAudioEncoder, type FFVideoEncoder } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, type Packet } from 'node-av/lib';

/**
 * Opens an encoder of FFmpeg itself. node-av's own `Encoder` (6.1.1) chooses the type of every picture anew, takes two
 * hops between threads for each 21 ms of sound, and crashes the process in its synchronous form where it is given
 * options: a Dictionary handed to `open2Sync` is freed twice. So options are set by their names here.
 */
export async function openEncoder(
  name: FFAudioEncoder | FFVideoEncoder,
  options: Readonly<Record<string, string | number>>,
  configure: (context: CodecContext) => void,
): Promise<CodecContext> {
  const codec = Codec.findEncoderByName(name);
  if (!codec) throw new Error(`FFmpeg was built without the encoder ${name}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  configure(context);
  for (const [option, value] of Object.entries(options)) {
    FFmpegError.throwIfError(context.setOption(option, String(value)), `the option ${option} of ${name}`);
  }
  FFmpegError.throwIfError(await context.open2(codec), `opening ${name}`);
  return context;
}

/** @returns whether the encoder gave a packet; false if it needs more input, or has finished */
export function hasPacket(code: number, packet: Packet): packet is Packet & { data: Buffer } {
  if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return false;
  FFmpegError.throwIfError(code, 'encoding');
  return packet.data !== null;
}
