/**
 * Those who wait, oldest first, and anybody may leave. Each knows its neighbours, and none once it has left.
 *
 * Not a Set where many come and leave: after so many deletions a Set makes a new table, and the one before goes on
 * pointing to it, with all that was in it. The collection of what is young follows that pointer also from a table that is
 * dead, once it has been promoted. So the next table lives on and is promoted, and then the next: nearly every call that
 * ever waited, with what is told of its events, stayed until the whole heap was collected (docs/decisions/runtime.md).
 */
export interface InLine<Member> {
  /** These are the line's to write. */
  before: Member | undefined;
  after: Member | undefined;
  isInLine: boolean;
}

export class Line<Member extends InLine<Member>> {
  #first: Member | undefined;
  #last: Member | undefined;

  get first(): Member | undefined {
    return this.#first;
  }

  /** Behind all others; it stands in no line. */
  add(member: Member): void {
    member.before = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.after = member;
    this.#last = member;
    member.isInLine = true;
  }

  /** Does nothing where it has left before. */
  remove(member: Member): void {
    if (!member.isInLine) return;
    const { before, after } = member;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    member.before = undefined;
    member.after = undefined;
    member.isInLine = false;
  }

  /** Oldest first. The one at hand may leave meanwhile. */
  *[Symbol.iterator](): Generator<Member> {
    let next = this.#first;
    while (next !== undefined) {
      const { after } = next;
      yield next;
      next = after;
    }
  }
}
