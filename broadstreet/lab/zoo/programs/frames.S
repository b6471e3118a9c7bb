/* Frames whose stack pointer goes wrong, and frames that only break the ABI.

   In "shift" functions one lea moves rsp behind the back of the unwind tables, as a lost or
   doubled stack update of a bad processor would. In "unaligned" functions the tables are right. */

        .macro function name
        .globl \name
        .type \name, @function
\name:
        .cfi_startproc
        .endm

        .macro end name
        .cfi_endproc
        .size \name, . - \name
        .endm

        .macro allocate bytes
        sub $\bytes, %rsp
        .cfi_adjust_cfa_offset \bytes
        .endm

        .macro release bytes
        add $\bytes, %rsp
        .cfi_adjust_cfa_offset -\bytes
        .endm

        .macro fill
        mov %rdi, (%rsp)
        mov %rdi, 8(%rsp)
        mov %rdi, 16(%rsp)
        .endm

        .text
/* void shift_low_return(void *word): ret pops the local word below the return address. */
        function shift_low_return
        allocate 24
        fill
        call touch
        lea -8(%rsp), %rsp
        release 24
        ret
        end shift_low_return

/* void shift_high_return(void *word): ret pops the first word of the caller's frame. */
        function shift_high_return
        allocate 24
        fill
        call shift_high_leaf
        release 24
        ret
        end shift_high_return

        function shift_high_leaf
        allocate 24
        call touch
        lea 8(%rsp), %rsp
        release 24
        ret
        end shift_high_leaf

/* void shift_low_call(void *word): the callee's movaps finds the stack off by eight. */
        function shift_low_call
        allocate 24
        fill
        lea -8(%rsp), %rsp
        call store_vector
        release 24
        ret
        end shift_low_call

        function shift_high_call
        allocate 24
        fill
        lea 8(%rsp), %rsp
        call store_vector
        release 24
        ret
        end shift_high_call

/* The same, three honest calls deep below the shift. */
        function shift_low_deep
        allocate 40
        fill
        lea -8(%rsp), %rsp
        call store_vector_deep
        release 40
        ret
        end shift_low_deep

        function unaligned_call
        allocate 32
        fill
        call store_vector
        release 32
        ret
        end unaligned_call

        function unaligned_push_call
        push %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_offset rbx, -16
        push %rdi
        .cfi_adjust_cfa_offset 8
        call store_vector_deep
        pop %rdi
        .cfi_adjust_cfa_offset -8
        pop %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        ret
        end unaligned_push_call

        function unaligned_print_call
        allocate 16
        xor %eax, %eax
        mov $1, %al
        call snprintf@PLT
        release 16
        ret
        end unaligned_print_call

/* void push_and_return(void *word): a hand-made jump. */
        function push_and_return
        push %rdi
        ret
        end push_and_return

/* void tail_jump(void (*target)(void)) */
        function tail_jump
        jmp *%rdi
        end tail_jump

/* The same, with a zero left just below the stack pointer. */
        function tail_jump_over_zero
        push $0
        pop %rax
        jmp *%rdi
        end tail_jump_over_zero

/* void push_on(void *stack_pointer) */
        function push_on
        mov %rdi, %rsp
        push %rax
        ret
        end push_on

        function call_on
        mov %rdi, %rsp
        call touch
        ret
        end call_on

        function return_on
        mov %rdi, %rsp
        ret
        end return_on

/* void load_through_rbp(void *base), and so on. */
        function load_through_rbp
        push %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_offset rbp, -16
        mov %rdi, %rbp
        mov 16(%rbp), %rax
        pop %rbp
        .cfi_adjust_cfa_offset -8
        ret
        end load_through_rbp

        function store_through_rsp
        mov %rsp, %rcx
        mov %rdi, %rsp
        movq $1, 16(%rsp)
        mov %rcx, %rsp
        ret
        end store_through_rsp

        function load_through_rax
        mov %rdi, %rax
        mov 16(%rax), %rax
        ret
        end load_through_rax

        function store_indexed
        mov %rdi, %rbx
        mov $3, %ecx
        movl $1, 8(%rbx,%rcx,4)
        ret
        end store_indexed

        .section .note.GNU-stack, "", @progbits
