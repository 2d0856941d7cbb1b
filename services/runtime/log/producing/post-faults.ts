/** Why a record is not taken at all. */
import { CodedError } from '../../errors.ts';
import { RECORD_BYTES_MAX } from './output-buffer.ts';

export function tooLarge(bytes: number): CodedError {
  const message = `could not send a record of ${String(bytes)} bytes: the limit is ${String(RECORD_BYTES_MAX)}`;
  return new CodedError('record_too_large', message);
}

export function noPartition(name: string, partition: number | undefined): CodedError {
  const which = partition === undefined ? '' : ` ${String(partition)}`;
  return new CodedError('log_refused', `could not send to ${name}: there is no partition${which}`);
}

export function closedError(): CodedError {
  return new CodedError('log_closed', 'could not send: the producer is closed');
}
