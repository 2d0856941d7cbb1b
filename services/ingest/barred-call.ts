/** What a key may be barred from: delete of a person or an object, the others of a person. Alias makes a visitor or a person part of another. */
export type BarredCall = 'delete' | 'suppress' | 'alias';
