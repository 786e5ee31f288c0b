/** Tests are checked with and without the package installed. */
declare module '@huggingface/transformers';
