/**
 * Liquid in the texts of messages, and the only file that knows the library. What a text may cost is bounded: the number of
 * its characters when it is stored, steps, memory and time when it is filled in.
 */
import { Liquid, type Template } from 'liquidjs';
import { isJsonObject, type JsonObject } from './paths.ts';

/** As liquidjs counts them: characters parsed, nodes rendered in ms, things allocated. */
const parseCharsMax = 40_000;
const renderMsMax = 50;
const allocationsMax = 200_000;
export const renderedCharsMax = 60_000;

const limits = {
  parseLimit: parseCharsMax,
  renderLimit: renderMsMax,
  memoryLimit: allocationsMax,
  ownPropertyOnly: true,
  // Nothing is read from the disk, whatever `include` and `render` ask for.
  relativeReference: false,
  templates: {},
} as const;

const plain = new Liquid(limits);
/** What is put into HTML is escaped, unless the template says `raw`. */
const html = new Liquid({ ...limits, outputEscape: 'escape' });

export type Parsed =
  { readonly ok: true; readonly template: TextTemplate } | { readonly ok: false; readonly detail: string };

export interface TextTemplate {
  /** undefined: it cost too much, or is too long when it is filled in. */
  render(data: JsonObject): string | undefined;
}

export function parseTemplate(text: string, isHtml = false): Parsed {
  // Most texts have nothing to fill in.
  if (!text.includes('{{') && !text.includes('{%')) return { ok: true, template: { render: () => text } };
  const engine = isHtml ? html : plain;
  let parsed: Template[];
  try {
    parsed = engine.parse(text);
  } catch (error) {
    return { ok: false, detail: firstLine(error) };
  }
  return {
    ok: true,
    template: {
      render: (data) => {
        try {
          const filled: unknown = engine.renderSync(parsed, data);
          return typeof filled === 'string' && filled.length <= renderedCharsMax ? filled : undefined;
        } catch {
          return undefined; // over a limit, or a filter that the data do not suit
        }
      },
    },
  };
}

function firstLine(error: unknown): string {
  const message: unknown = isJsonObject(error) ? error['message'] : undefined;
  return (typeof message === 'string' ? message : String(error)).split('\n')[0] ?? '';
}
