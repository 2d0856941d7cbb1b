/**
 * What a key may be barred from, of a person. Alias makes a visitor or a person part of another; to rename is to give another
 * email to whoever a cio_id names.
 */
export type BarredCall = 'delete' | 'suppress' | 'alias' | 'rename';
