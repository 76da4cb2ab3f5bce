using System.Diagnostics;

namespace Tunnel.EndToEnd.Harness;

/// <summary>Waiting for what other processes do: for the condition, never for a time.</summary>
internal static class Until
{
    /// <summary>Enough for anything that is not broken, on a busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Between two looks at something in this process. There are thousands of such waits.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    /// <summary>Between two looks that begin processes or connections.</summary>
    private static readonly TimeSpan LongStep = TimeSpan.FromMilliseconds(25);

    public static Task TrueAsync(string what, Func<bool> condition, TimeSpan? limit = null) =>
        TrueAsync(what, () => Task.FromResult(condition()), limit, Step);

    public static Task TrueAsync(string what, Func<Task<bool>> condition, TimeSpan? limit = null) => TrueAsync(what, condition, limit, LongStep);

    private static async Task TrueAsync(string what, Func<Task<bool>> condition, TimeSpan? limit, TimeSpan step)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > (limit ?? Patience))
                Assert.Fail($"not within {(limit ?? Patience).TotalSeconds:0.#} s: {what}");
            await Task.Delay(step);
        }
    }
}
