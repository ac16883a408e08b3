import { Demuxer } from 'node-av/api';
import { AV_LOG_ERROR, AVERROR_EOF } from 'node-av/constants';
import { FFmpegError, Log, Packet, type Stream } from 'node-av/lib';

/** FFmpeg's own chatter (encoder statistics) is noise in a service's log; errors reach us as return values. */
export function quietFfmpeg(): void {
  Log.setLevel(AV_LOG_ERROR);
}

/** Opens `bytes` with the one named demuxer: FFmpeg neither guesses a format nor opens a protocol. */
export function openDemuxer(bytes: Buffer, demuxerName: string): Promise<Demuxer> {
  return Demuxer.open(bytes, { format: demuxerName });
}

/**
 * The packets of one stream, in file order. Each packet is valid until the next one is asked for.
 * The bytes are in memory: a hop to another thread for each packet would take longer than reading it.
 * Reads through the low-level context, because `Demuxer.packets()` needs `Promise.withResolvers` (Node 22).
 */
export function* readPackets(demuxer: Demuxer, stream: Stream): Generator<Packet> {
  const context = demuxer.getFormatContext();
  const packet = new Packet();
  packet.alloc();
  try {
    for (;;) {
      const code = context.readFrameSync(packet);
      if (code === AVERROR_EOF) return;
      FFmpegError.throwIfError(code, 'reading a packet');
      if (packet.streamIndex === stream.index) {
        packet.timeBase = stream.timeBase;
        yield packet;
      }
      packet.unref();
    }
  } finally {
    packet.free();
  }
}

/** AVSEEK_SIZE of libavformat/avio.h: "how large is it" instead of a seek. */
const AVSEEK_SIZE = 0x10000;
const SEEK_CUR = 1;
const SEEK_END = 2;

/** A file in memory for muxers that go back to fill in what they learn at the end (MP4's index). */
export interface MemoryFile {
  write(chunk: Buffer): number;
  seek(offset: bigint, whence: number): number;
  bytes(): Buffer;
}

export function createMemoryFile(): MemoryFile {
  let data = Buffer.alloc(1 << 18);
  let length = 0;
  let position = 0;
  return {
    write(chunk) {
      const end = position + chunk.length;
      if (end > data.length) data = Buffer.concat([data, Buffer.alloc(Math.max(data.length, chunk.length))]);
      chunk.copy(data, position);
      position = end;
      length = Math.max(length, end);
      return chunk.length;
    },
    seek(offset, whence) {
      if (whence & AVSEEK_SIZE) return length;
      const base = whence === SEEK_CUR ? position : whence === SEEK_END ? length : 0;
      position = base + Number(offset);
      return position;
    },
    bytes: () => data.subarray(0, length),
  };
}
