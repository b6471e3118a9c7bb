// The library that wrong_code.c opens and closes.
static volatile long calls;

long plugin_work(long value)
{
    calls += value;
    return calls * 2;
}

long plugin_visit(long (*visitor)(long), long value)
{
    long seen = visitor(value + 1);
    calls += seen;
    return calls;
}
