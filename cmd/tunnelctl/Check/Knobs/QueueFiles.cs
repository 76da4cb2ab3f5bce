namespace Tunnel.Ctl.Check.Knobs;

/// <summary>One setting that each receiving queue of the interface has a file for, written as "rx-0=f rx-1=f".</summary>
internal static class QueueFiles
{
    /// <summary>Why nothing is to be spread on an interface that is no card.</summary>
    public const string NoInterrupt = "not needed: no card, so no interrupt that brings all packets to one processor";

    public static IReadOnlyList<string> Queues(CheckContext context) => context.Interface is null
        ? []
        : [.. context.Files.List(Folder(context)).Where(q => q.StartsWith("rx-", StringComparison.Ordinal))];

    /// <summary>The values of all queues; the first that cannot be read is the problem.</summary>
    public static Reading Read(CheckContext context, string file)
    {
        if (context.Interface is null)
            return new Reading(null, context.NoInterface);
        List<string> parts = [];
        foreach (string queue in Queues(context))
        {
            Reading reading = context.Files.Read($"{Folder(context)}/{queue}/{file}");
            if (reading.Text is null)
                return reading;
            parts.Add($"{queue}={reading.Text.Trim()}");
        }

        return parts.Count == 0 ? new Reading(null, $"{context.Interface} has no receiving queues in sysfs") : new Reading(string.Join(' ', parts), null);
    }

    /// <summary>The queues and their values; null when the text is something else.</summary>
    public static IReadOnlyList<(string Queue, string Value)>? Parse(Reading reading)
    {
        List<(string, string)> pairs = [];
        foreach (string word in reading.Words)
        {
            if (word.Split('=') is not [var queue, var value] || !queue.StartsWith("rx-", StringComparison.Ordinal) || queue.Contains('/'))
                return null;
            pairs.Add((queue, value));
        }

        return pairs.Count == 0 ? null : pairs;
    }

    public static string Command(CheckContext context, string file, string value) => string.Join("; ", (Parse(new Reading(value, null)) ?? [])
        .Select(p => $"echo {p.Value} > {Folder(context)}/{p.Queue}/{file}"));

    public static string? Write(CheckContext context, string file, string value)
    {
        if (context.Interface is null)
            return context.NoInterface;
        if (Parse(new Reading(value, null)) is not { } pairs)
            return $"\"{value}\" is not one value for each queue";
        return pairs.Select(p => context.Files.Write($"{Folder(context)}/{p.Queue}/{file}", p.Value)).FirstOrDefault(p => p is not null);
    }

    private static string Folder(CheckContext context) => $"/sys/class/net/{context.Interface}/queues";
}
