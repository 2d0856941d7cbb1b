/**
 * Liquid in the texts of messages, and the only file that knows the library. What a text may cost is bounded: the number of
 * its characters when it is stored, steps and memory when it is filled in. Both are counted and not timed, so that a busy
 * machine fills in what an idle one does, and all texts of a message share them: no workspace has the others wait.
 */
import { Context, Liquid, type Template } from 'liquidjs';
import { isJsonObject, type JsonObject } from './paths.ts';

/** As liquidjs counts them: characters parsed, nodes rendered, characters and elements allocated. */
const parseCharsMax = 40_000;
const stepsMax = 2_000;
const allocationsMax = 60_000;
export const renderedCharsMax = 60_000;

const limits = {
  parseLimit: parseCharsMax,
  ownPropertyOnly: true,
  // Nothing is read from the disk, whatever `include` and `render` ask for.
  relativeReference: false,
  templates: {},
} as const;

const plain = new Liquid(limits);
/** What is put into HTML is escaped, unless the template says `raw`. */
const html = new Liquid({ ...limits, outputEscape: 'escape' });

/** What is left for the texts of one message. */
export class RenderBudget {
  #steps = stepsMax;
  #allocations = allocationsMax;
  #isExceeded = false;

  /** A text wanted more than there was, or became longer than a page takes. */
  get isExceeded(): boolean {
    return this.#isExceeded;
  }

  /** As the library asks: before each node, and before what is allocated. */
  readonly limits = {
    // Both are of a class of its own that it does not export, and of which it calls these two.
    renderLimit: { check: () => this.#step(), use: () => undefined } as never,
    memoryLimit: { check: () => undefined, use: (count: number) => this.#allocate(count) } as never,
  };

  #step(): void {
    this.#steps -= 1;
    if (this.#steps < 0) this.exceed('the text takes too many steps');
  }

  #allocate(count: number): void {
    if (count > 0) this.#allocations -= count;
    if (this.#allocations < 0) this.exceed('the text takes too much memory');
  }

  exceed(what: string): never {
    this.#isExceeded = true;
    throw new RangeError(what);
  }
}

export type Parsed =
  { readonly ok: true; readonly template: TextTemplate } | { readonly ok: false; readonly detail: string };

export interface TextTemplate {
  /** undefined: it cost too much, or is too long when it is filled in. */
  render(data: JsonObject, budget: RenderBudget): string | undefined;
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
      render: (data, budget) => {
        try {
          const context = new Context({ ...data }, engine.options, { sync: true }, budget.limits);
          const filled: unknown = engine.renderSync(parsed, context);
          if (typeof filled !== 'string') return undefined;
          return filled.length <= renderedCharsMax ? filled : budget.exceed('the text is too long');
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
