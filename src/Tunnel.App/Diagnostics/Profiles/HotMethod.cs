namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>How much of a profile a method is.</summary>
/// <param name="Name">With its type's.</param>
/// <param name="Self">In the method itself, of the profile's last kind of value.</param>
/// <param name="Total">In the method and what it called.</param>
public sealed record HotMethod(string Name, long Self, long Total)
{
    /// <summary>The methods with the most of their own.</summary>
    public static IReadOnlyList<HotMethod> Hottest(StackProfile profile, int count)
    {
        long[] self = new long[profile.Functions.Count], total = new long[profile.Functions.Count];
        foreach (StackSample sample in profile.Samples.Where(s => s.Frames.Length != 0))
        {
            self[sample.Frames[0]] += sample.Values[^1];
            // A method that called itself has the time once.
            foreach (int frame in sample.Frames.Distinct())
                total[frame] += sample.Values[^1];
        }

        return
        [
            .. Enumerable.Range(0, self.Length).Select(i => new HotMethod(profile.Functions[i], self[i], total[i]))
                .OrderByDescending(m => m.Self).ThenBy(m => m.Name, StringComparer.Ordinal).Take(count),
        ];
    }
}
