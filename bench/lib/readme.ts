const BEGIN = '<!-- bench -->';
const END = '<!-- /bench -->';

/**
 * The README with `text` as a code block between its markers, and above it the plot if there
 * is one. @throws RangeError if the markers are not both there
 */
export function withBench(readme: string, text: string, svg_file?: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END, begin);
  if (begin === -1 || end === -1) throw new RangeError(`expected ${BEGIN} and ${END} behind it`);
  const before = readme.slice(0, begin + BEGIN.length);
  const plot = svg_file === undefined ? '' : `![Throughput and CPU per event](${svg_file})\n\n`;
  return `${before}\n\n${plot}\`\`\`text\n${text.trimEnd()}\n\`\`\`\n\n${readme.slice(end)}`;
}
