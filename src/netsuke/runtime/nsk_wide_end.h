/* Ends what one of the headers of nsk_wide.h began: code for one instruction set. */
#if defined(NSK_WIDE_END) && defined(__clang__)
#pragma clang attribute pop
#elif defined(NSK_WIDE_END)
#pragma GCC pop_options
#endif
