using System.Globalization;

namespace Tunnel.Tests.Support;

/// <summary>Seeds of random tests: fixed ones in every run, or the one that TUNNEL_TEST_SEED names to replay a failure.</summary>
internal static class TestSeed
{
    public const string Variable = "TUNNEL_TEST_SEED";

    /// <summary>Runs <paramref name="body"/> for seeds 0 to count - 1; a failure says which seed it was and how to run it alone.</summary>
    public static void Run(int count, Action<ulong> body)
    {
        if (ulong.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out ulong only))
        {
            body(only);
            return;
        }

        for (ulong seed = 0; seed < (ulong)count; seed++)
        {
            try
            {
                body(seed);
            }
            catch (Exception e)
            {
                throw new RandomTestException(seed, e);
            }
        }
    }
}

internal sealed class RandomTestException(ulong seed, Exception inner)
    : Exception($"failed with seed {seed}; replay this test alone with {TestSeed.Variable}={seed}: {inner.Message}", inner);
