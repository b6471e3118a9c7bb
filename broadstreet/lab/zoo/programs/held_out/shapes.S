# Frames made of pushes. In drop_* and skip_* one instruction moves rsp unseen by the unwind tables.

        .text

        .globl drop_push
        .type drop_push, @function
drop_push:                              # (object): calls drop_push_body with rbx and rbp set to the object
        .cfi_startproc
        push %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push %rbx
        .cfi_def_cfa_offset 24
        .cfi_offset rbx, -24
        mov %rdi, %rbx
        mov %rdi, %rbp
        sub $8, %rsp
        .cfi_def_cfa_offset 32
        call drop_push_body
        add $8, %rsp
        .cfi_def_cfa_offset 24
        pop %rbx
        .cfi_def_cfa_offset 16
        pop %rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size drop_push, . - drop_push

        .type drop_push_body, @function
drop_push_body:                         # ret pops the saved rbp of the caller, the object
        .cfi_startproc
        push %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push %rbx
        .cfi_def_cfa_offset 24
        .cfi_offset rbx, -24
        sub $8, %rsp
        .cfi_def_cfa_offset 32
        call quiet
        push %rax                       # the unseen one
        add $8, %rsp
        .cfi_def_cfa_offset 24
        pop %rbx
        .cfi_def_cfa_offset 16
        pop %rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size drop_push_body, . - drop_push_body

        .globl skip_pop
        .type skip_pop, @function
skip_pop:                               # (object): the body returns to the word above its return address
        .cfi_startproc
        push %rdi
        .cfi_def_cfa_offset 16
        push %rdi
        .cfi_def_cfa_offset 24
        push %rdi
        .cfi_def_cfa_offset 32
        call skip_pop_body
        add $24, %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size skip_pop, . - skip_pop

        .type skip_pop_body, @function
skip_pop_body:
        .cfi_startproc
        push %rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        call quiet
        pop %rbx
        .cfi_def_cfa_offset 8
        pop %rcx                        # the unseen one
        ret
        .cfi_endproc
        .size skip_pop_body, . - skip_pop_body

        .globl drop_before_print
        .type drop_before_print, @function
drop_before_print:                      # (buffer, size, format), xmm0: dies in the C library
        .cfi_startproc
        sub $40, %rsp
        .cfi_def_cfa_offset 48
        lea -8(%rsp), %rsp              # the unseen one
        mov $1, %eax
        call *snprintf@GOTPCREL(%rip)
        add $40, %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size drop_before_print, . - drop_before_print

        .globl skip_before_vector
        .type skip_before_vector, @function
skip_before_vector:                     # (function)
        .cfi_startproc
        sub $56, %rsp
        .cfi_def_cfa_offset 64
        lea 8(%rsp), %rsp               # the unseen one
        call *%rdi
        add $56, %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size skip_before_vector, . - skip_before_vector

        .globl odd_frame
        .type odd_frame, @function
odd_frame:                              # (function): breaks the ABI, with right tables
        .cfi_startproc
        sub $64, %rsp
        .cfi_def_cfa_offset 72
        call *%rdi
        add $64, %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size odd_frame, . - odd_frame

        .globl odd_frame_base
        .type odd_frame_base, @function
odd_frame_base:                         # (function): the same with a frame pointer
        .cfi_startproc
        push %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov %rsp, %rbp
        .cfi_def_cfa_register rbp
        sub $24, %rsp
        call *%rdi
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size odd_frame_base, . - odd_frame_base

        .globl exchange_stack
        .type exchange_stack, @function
exchange_stack:                         # (stack pointer)
        .cfi_startproc
        xchg %rdi, %rsp
        push $7
        xchg %rdi, %rsp
        ret
        .cfi_endproc
        .size exchange_stack, . - exchange_stack

        .globl leave_through
        .type leave_through, @function
leave_through:                          # (frame pointer): rsp = rbp, then rbp and the return address come from there
        .cfi_startproc
        push %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov %rdi, %rbp
        leave
        ret
        .cfi_endproc
        .size leave_through, . - leave_through

        .globl store_below_rbp
        .type store_below_rbp, @function
store_below_rbp:                        # (base)
        .cfi_startproc
        push %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov %rdi, %rbp
        movl $3, -20(%rbp)
        pop %rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size store_below_rbp, . - store_below_rbp

        .globl add_through_r13
        .type add_through_r13, @function
add_through_r13:                        # (base)
        .cfi_startproc
        push %r13
        .cfi_def_cfa_offset 16
        .cfi_offset r13, -16
        mov %rdi, %r13
        lock addl $1, 0x1c(%r13)
        pop %r13
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size add_through_r13, . - add_through_r13

        .globl copy_string
        .type copy_string, @function
copy_string:                            # (to, from, count)
        .cfi_startproc
        mov %rdx, %rcx
        rep movsb
        ret
        .cfi_endproc
        .size copy_string, . - copy_string

        .globl call_through_memory
        .type call_through_memory, @function
call_through_memory:                    # (table)
        .cfi_startproc
        sub $8, %rsp
        .cfi_def_cfa_offset 16
        call *24(%rdi)
        add $8, %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size call_through_memory, . - call_through_memory

        .section .note.GNU-stack, "", @progbits
