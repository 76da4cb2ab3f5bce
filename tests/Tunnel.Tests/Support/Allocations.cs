namespace Tunnel.Tests.Support;

/// <summary>What code allocates on the thread that runs it.</summary>
internal static class Allocations
{
    private const int Tries = 5;

    /// <summary>
    /// The fewest bytes that one of several runs allocated. What each packet costs comes in every one; what the runtime needs when it
    /// replaces code that is often called comes in one of them, whenever its compiler is ready.
    /// </summary>
    public static long Least(Action run)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Tries && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
