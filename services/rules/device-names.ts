/** Events that tell of a device, as every API's calls about devices are kept (services/ingest/translate-device.ts). */
export const DEVICE_TOLD = 'Device Created or Updated';
export const DEVICE_GONE = 'Device Deleted';
