/** One instruction of a Dockerfile: its words, without those that are options (`--from=build`). */
export interface Instruction {
  name: string;
  options: Record<string, string>;
  /** As it is written, in one line. */
  text: string;
  words: string[];
}

/** What stands from one FROM to the next. */
export interface Stage {
  base: string;
  alias: string | undefined;
  instructions: Instruction[];
}

/**
 * Reads a Dockerfile as far as these tests look at one: stages, instructions, their options and words. Comments and
 * continued lines are understood, here-documents and parser directives are not.
 */
export function readDockerfile(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
  const stages: Stage[] = [];
  for (const instruction of lines.map(readInstruction)) {
    if (instruction.name === 'FROM') {
      const [base = '', as, alias] = instruction.words;
      stages.push({ base, alias: as?.toUpperCase() === 'AS' ? alias : undefined, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`${instruction.name} stands before the first FROM`);
    stage.instructions.push(instruction);
  }
  return stages;
}

function readInstruction(line: string): Instruction {
  const [name = '', ...all] = line.trim().split(/\s+/);
  const isOption = (word: string): boolean => word.startsWith('--');
  const count = all.findIndex((word) => !isOption(word));
  const options = all.slice(0, count < 0 ? all.length : count);
  const words = all.slice(options.length);
  return {
    name: name.toUpperCase(),
    options: Object.fromEntries(options.map((option) => option.slice(2).split('=', 2))),
    text: words.join(' '),
    words,
  };
}

/** The value of an instruction in its JSON form; throws where it has another one. */
export const jsonForm = ({ text }: Instruction): string[] => JSON.parse(text);
