/** The sample storefront: what its visitors do, call by call. Deterministic in (seed, visitors, now, run). */
import { Random } from '../../services/testing/random.ts';
import type { Visitor } from './calls.ts';
import { VisitorScript } from './visitor-script.ts';

export interface StorefrontOptions {
  readonly seed: number;
  readonly visitors: number;
  /** The end of everybody's last session, ms. */
  readonly now: number;
  /** Goes into every id, so that a storefront can be played again into the same workspace. */
  readonly run: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export function makeStorefront(options: StorefrontOptions): Visitor[] {
  return Array.from({ length: options.visitors }, (_, index) => makeVisitor(options, index + 1));
}

function makeVisitor({ seed, now, run }: StorefrontOptions, number: number): Visitor {
  const random = new Random(seed * 1_000_003 + number);
  const kind = kindOf(random, number);
  const script = new VisitorScript(
    random,
    `${run}-${String(number)}`,
    random.chance(0.75) ? 'pipelines' : 'track',
  );
  const lastSession = now - random.between(5, 170) * MINUTE;
  if (kind === 'bot') script.crawl(lastSession);
  else if (kind === 'browser') script.visit(lastSession).shop().lookAtMessage(0.4);
  else if (kind === 'leaver')
    script.visit(lastSession).shop().lookAtMessage(0.6).signIn().order().signOut().shop();
  else if (kind === 'quiz') script.visit(lastSession).lookAtMessage(0.9).quiz().signIn().shop();
  else if (kind === 'shared-device')
    script.visit(lastSession).shop().signIn().order().signInAsAnother().shop();
  else if (kind === 'two-devices') {
    for (let device = random.between(1, 3); device > 0; device -= 1) {
      script
        .visit(lastSession - device * random.between(20, 40) * HOUR)
        .shop()
        .signIn()
        .otherDevice();
    }
    script.visit(lastSession).shop().signIn().order();
  } else if (number === 1) script.visit(lastSession).shop().checkout().signIn().order();
  else script.visit(lastSession).shop().lookAtMessage(0.8).checkout().signIn().reminded(0.8).order();
  return { number, kind, calls: script.calls, isLate: random.chance(0.5) };
}

function kindOf(random: Random, number: number): Visitor['kind'] {
  if (number === 1) return 'buyer'; // whose story is told
  const at = random.next();
  if (at < 0.5) return 'browser';
  if (at < 0.7) return 'buyer';
  if (at < 0.78) return 'quiz';
  if (at < 0.86) return 'two-devices';
  if (at < 0.92) return 'leaver';
  return at < 0.96 ? 'shared-device' : 'bot';
}
