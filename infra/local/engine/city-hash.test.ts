/** Checksums as ClickHouse's other clients make them: the values were taken from go-faster/city 1.0.1 (CH128). */
import { expect, test } from '@jest/globals';
import { cityHash128 } from './city-hash.ts';

const CHECKSUMS: readonly (readonly [length: number, lowAndHigh: string])[] = [
  [0, '3df09dfc64c09a2b3cb540c392e51e29'],
  [1, '39379490ccb55d552af2b13064cd571f'],
  [2, 'ab9a6218ffab182e153e04da12a61a72'],
  [3, '3170f5b9282ab8e305259a024db0f213'],
  [4, 'a44c8453b007bba2219a7239a787905e'],
  [5, 'cc3b8a2e2eb490dae73c20981734a08e'],
  [7, 'cdfea2707637e0b87e868a1386d8a514'],
  [8, '9bbfeddef137a91cae21fa0a63259fa9'],
  [9, '6a9ed13fbbf8410b37a97500526f5d36'],
  [10, '237a28c7f3eff5797524a5f433a3e2a7'],
  [15, '24bc9428ac4bee393568dba5a8e52ae7'],
  [16, 'e2f284b3e4747c30ce8625908ed13249'],
  [17, 'b14697676024212e64c60cb1f8d0b3bb'],
  [20, '3d8a29906fe07a0acdc75a4179a5f475'],
  [24, '6d79c854605387c36604259fd39fe775'],
  [25, '61d82eb996e168e367bbad5c586b99b3'],
  [31, 'da9ac978d1580cba0d63523a317bb4ca'],
  [32, 'e1a6ce5620b7fc0f17e81cf2a0f14a83'],
  [33, '9d10d20351eaaba2c215cedcde0ff0d5'],
  [48, '058626c33139cc0af3c6a4e9cf4f15b6'],
  [63, 'b74441e1b0d1cdb1478a014b32c05b49'],
  [64, '54781ac72ed42bf5917cec2a5c82f1dd'],
  [100, 'aae6118c408beff8a2b8560ea1387c6f'],
  [143, '977f811c17d9ac4148285b477820b8f0'],
  [144, 'f1dec95eb813ab8095d261318621be67'],
  [145, '7c8593b862c3d39fc626af4a105622ab'],
  [175, 'b1899f2d40fda5b05112e917f10104a8'],
  [176, '6c07bcee5fe406948c21529df269c737'],
  [208, '443d85d04f791147b01540ba5d72bccc'],
  [271, '0b215c4356a192cb3d510ca36911634e'],
  [272, 'cf68db07f1c35e2ad5eb51b2a44fdb1a'],
  [300, '7540403b1123b2ca6c065282fe206b50'],
  [1000, '590d07db4430a589e056da3ac1451263'],
  [65545, '764e15db675301ac5629f492e8142392'],
];

test.each(CHECKSUMS)('of %d bytes', (length, expected) => {
  const bytes = Uint8Array.from({ length }, (_, index) => index * 131 + (index >> 8) * 7 + 3);
  const hex = cityHash128(bytes).map((word) => word.toString(16).padStart(16, '0'));
  expect(hex.join('')).toBe(expected);
});

test('does not ask where in its memory the bytes begin', () => {
  const all = Uint8Array.from({ length: 300 }, (_, index) => index);
  expect(cityHash128(all.subarray(3, 203))).toEqual(cityHash128(all.slice(3, 203)));
});
