/**
 * What a key may be barred from: delete of a person or an object, the others of a person. Alias makes a visitor or a person
 * part of another; to rename is to give another email to whoever a cio_id names.
 */
export type BarredCall = 'delete' | 'suppress' | 'alias' | 'rename';
