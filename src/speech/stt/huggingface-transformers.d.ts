/** An optional peer: its code is there only where a user installed it, and its types are never needed here. */
declare module '@huggingface/transformers';
