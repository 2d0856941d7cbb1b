/**
 * Liquid in the texts of messages, and the only file that knows the library. What a text may cost is bounded: the number of
 * its characters when it is stored, steps and memory when it is filled in. Both are counted and not timed, so that a busy
 * machine fills in what an idle one does, and all texts of a message share them: no workspace has the others wait.
 */
import { Context, defaultOperators, Liquid, type Operators, type Template } from 'liquidjs';
import { isJsonObject, type JsonObject } from './paths.ts';

/** Characters parsed, as liquidjs counts them. */
const parseCharsMax = 40_000;
/** Nodes rendered, as liquidjs counts them. */
const stepsMax = 2_000;
/**
 * Characters and elements that liquidjs says it allocates, and what it does without saying so: a look at a property, an
 * operator, a filter, and each element of a list that one of these may go over.
 */
const allocationsMax = 60_000;
const UNITS_AN_ELEMENT = 4;
/** A loop over an object lists its keys, however few it then goes over: with so many more each step costs one more. */
const KEYS_A_STEP = 500;
export const renderedCharsMax = 60_000;

const limits = {
  parseLimit: parseCharsMax,
  ownPropertyOnly: true,
  // Nothing is read from the disk, whatever `include` and `render` ask for.
  relativeReference: false,
  templates: {},
} as const;

const operators: Operators = Object.fromEntries(
  Object.entries(defaultOperators).map(([name, operator]) => [
    name,
    // One or two operands, and the context behind them.
    (...operands: [unknown, unknown, unknown?]) => {
      const context = operands.findLast((operand) => operand instanceof Context);
      if (context !== undefined) charge(context, operands);
      return (operator as (...given: unknown[]) => boolean)(...operands); // whichever kind it is
    },
  ]),
);

const plain = counting(new Liquid({ ...limits, operators }));
/** What is put into HTML is escaped, unless the template says `raw`. */
const html = counting(new Liquid({ ...limits, operators, outputEscape: 'escape' }));

/** Its filters, each of which pays for what it is given. */
function counting(engine: Liquid): Liquid {
  for (const [name, filter] of Object.entries(engine.filters)) {
    const [handler, raw] = typeof filter === 'function' ? [filter, false] : [filter.handler, filter.raw];
    engine.registerFilter(name, {
      raw,
      handler(value: unknown, ...given: unknown[]): unknown {
        charge(this.context, [value, ...given]);
        return handler.call(this, value, ...given) as unknown;
      },
    });
  }
  return engine;
}

function charge({ memoryLimit }: Context, values: readonly unknown[]): void {
  memoryLimit.use(values.length);
  for (const value of values) weigh(value, memoryLimit);
}

/** Lists within lists, too: they are compared element by element. Ends by its throwing, however deep they lie. */
function weigh(value: unknown, memoryLimit: Context['memoryLimit']): void {
  if (!Array.isArray(value)) return;
  memoryLimit.use(value.length * UNITS_AN_ELEMENT);
  for (const element of value) weigh(element, memoryLimit);
}

class CountingContext extends Context {
  override readProperty(...[from, key]: Parameters<Context['readProperty']>): unknown {
    this.memoryLimit.use(1);
    const value: unknown = super.readProperty(from, key);
    if (key === 'size' && isJsonObject(from) && typeof value === 'number')
      this.memoryLimit.use(value / KEYS_A_STEP);
    return value;
  }
}

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
  limitsFor(data: JsonObject) {
    const units = Math.max(1, Math.ceil(mostKeysOf(data) / KEYS_A_STEP));
    return {
      // Both are of a class of its own that it does not export, and of which it calls these two.
      renderLimit: { check: () => this.#step(units), use: () => undefined } as never,
      memoryLimit: { check: () => undefined, use: (count: number) => this.#allocate(count) } as never,
    };
  }

  #step(units: number): void {
    this.#steps -= units;
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
          const context = new CountingContext(
            { ...data },
            engine.options,
            { sync: true },
            budget.limitsFor(data),
          );
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

/** By the data of a poll, which all texts of all messages are filled in from. */
const keysByData = new WeakMap<JsonObject, number>();

function mostKeysOf(data: JsonObject): number {
  const known = keysByData.get(data) ?? mostKeys(data);
  keysByData.set(data, known);
  return known;
}

/** Of any object that a text may loop over. */
function mostKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts: readonly unknown[] = Object.values(value);
  return parts.reduce<number>((most, part) => Math.max(most, mostKeys(part)), parts.length);
}

function firstLine(error: unknown): string {
  const message: unknown = isJsonObject(error) ? error['message'] : undefined;
  return (typeof message === 'string' ? message : String(error)).split('\n')[0] ?? '';
}
