/** What a key may be barred from, of a person. Alias makes a visitor or a person part of another. */
export type BarredCall = 'delete' | 'suppress' | 'alias';
