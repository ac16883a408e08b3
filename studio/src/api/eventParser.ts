export interface ServerEvent {
  name: string;
  data: unknown;
}

/** Takes a stream of server-sent events apart. Pure: text goes in piece by piece, whole events come out. */
export function createEventParser(): (text: string) => ServerEvent[] {
  let rest = '';
  return (text) => {
    rest += text;
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => {
      let name = 'message';
      const data: string[] = [];
      for (const line of block.split(/\r?\n/)) {
        const [, field, value = ''] = /^(\w+):? ?(.*)$/.exec(line) ?? [];
        if (field === 'event') name = value;
        if (field === 'data') data.push(value);
      }
      return data.length > 0 ? [{ name, data: JSON.parse(data.join('\n')) as unknown }] : [];
    });
  };
}
