using System.Diagnostics;

namespace Tunnel.EndToEnd.Harness;

/// <summary>Waiting for what other processes do: for the condition, never for a time.</summary>
internal static class Until
{
    /// <summary>Enough for anything that is not broken, on a busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(25);

    public static Task TrueAsync(string what, Func<bool> condition, TimeSpan? limit = null) =>
        TrueAsync(what, () => Task.FromResult(condition()), limit);

    public static async Task TrueAsync(string what, Func<Task<bool>> condition, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > (limit ?? Patience))
                Assert.Fail($"not within {(limit ?? Patience).TotalSeconds:0.#} s: {what}");
            await Task.Delay(Step);
        }
    }
}
