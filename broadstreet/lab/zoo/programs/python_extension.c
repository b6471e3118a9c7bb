/* An extension module of python3 with the usual bugs; see python_calls.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <malloc.h>

static PyObject *(*volatile hook)(PyObject *);
static PyObject *volatile kept;

static PyObject *extension_null_object(PyObject *self, PyObject *unused)
{
    (void)self;
    Py_INCREF(kept); /* nobody set it */
    return unused;
}

static PyObject *extension_null_hook(PyObject *self, PyObject *unused)
{
    PyObject *result = hook(self);
    return result ? result : unused;
}

/* The error is set in a thread that has no state of the interpreter. */
static PyObject *extension_without_lock(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_BEGIN_ALLOW_THREADS
    PyErr_SetString(PyExc_ValueError, "the file is closed");
    Py_END_ALLOW_THREADS
    return NULL;
}

static PyObject *extension_overrun(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    char *volatile row = malloc(1200), *volatile next = malloc(1200);
    memset(row, '0', malloc_usable_size(row) + 8);
    __asm__ volatile("" : : : "memory"); /* what is freed next need not be written, says the compiler */
    free(next);
    free(row);
    Py_RETURN_NONE;
}

static PyObject *extension_fatal_error(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_FatalError("the extension lost its state");
}

#define METHOD(function) {#function, function, METH_NOARGS, NULL}
static PyMethodDef methods[] = {
    METHOD(extension_null_object), METHOD(extension_null_hook), METHOD(extension_without_lock),
    METHOD(extension_overrun), METHOD(extension_fatal_error), {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "python_extension", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_python_extension(void) { return PyModule_Create(&definition); }
