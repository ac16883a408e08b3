import { createSocket } from 'node:dgram';
import ipaddr from 'ipaddr.js';

export interface DnsServer {
  /** `address:port`, as in PREVIEW_DNS_SERVERS. */
  address: string;
  /** The names that were asked for, in order. */
  asked: string[];
  close(): Promise<void>;
}

const TYPES = { 1: 4, 28: 6 } as const;

/**
 * A real DNS server on loopback for A and AAAA. Its answers may not be cached (TTL 0).
 * @param answer all addresses of a name, of both kinds; undefined for a name that is not known
 */
export async function startDnsServer(answer: (name: string) => string[] | undefined): Promise<DnsServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const { name, type, end } = readQuestion(query);
    if (type === 1) asked.push(name);
    const known = answer(name);
    const family = TYPES[type as keyof typeof TYPES];
    const records = (known ?? []).filter((each) => ipaddr.parse(each).kind() === `ipv${family}`);
    const header = Buffer.from(query.subarray(0, 12));
    // A response, recursion available; NXDOMAIN where the name is not known (RFC 1035, 4.1.1).
    header.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    socket.send(
      Buffer.concat([header, query.subarray(12, end), ...records.map((each) => record(type, each))]),
      port,
      address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** A record of the question's name, which the pointer 0xc00c stands for. */
function record(type: number, address: string): Buffer {
  const data = Buffer.from(ipaddr.parse(address).toByteArray());
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
