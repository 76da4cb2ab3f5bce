using Spectre.Console;

namespace Tunnel.Ctl.Check.Setting;

/// <summary>check --apply: plans, asks, writes down, sets, and says what came of it.</summary>
internal static class ApplyRun
{
    private const string NobodyToAsk = "nobody can be asked here: nothing was changed; --yes does it without asking";

    public static async Task<int> RunAsync(CheckContext context, ApplyOptions options, CancellationToken cancel)
    {
        var tuning = new Tuning(context);
        IReadOnlyList<PlannedChange> plan = tuning.Plan(options.Only);
        ApplyJson refused = new(plan, [], null, [], []);
        if (!context.Calls.IsRoot && plan.Count > 0)
            return End(options, refused with { Problems = ["not root: nothing was changed; the commands are these"] });
        if (plan.Count > 0 && !options.Yes && !await AskAsync(plan, cancel).ConfigureAwait(false))
            return End(options, refused with { Problems = [Terminal.CanAsk ? "nothing was changed" : NobodyToAsk] });
        return End(options, Apply(tuning, plan, options));
    }

    /// <summary>What undoes it is on the disk before anything is changed, and goes again when nothing was.</summary>
    internal static ApplyJson Apply(Tuning tuning, IReadOnlyList<PlannedChange> plan, ApplyOptions options)
    {
        if (plan.Count == 0 && !options.Persist)
            return new ApplyJson(plan, [], null, [], []);
        string path = options.UndoPath ?? UndoFile.DefaultPath();
        UndoFile.Of(tuning.Context, [.. plan.Select(p => new Change(p.Name, p.Before, p.After, null))], []).Create(path);
        IReadOnlyList<Change> changes = tuning.Apply(plan).Changes;
        string[] unkept = [.. Keep(UndoFile.Of(tuning.Context, changes, []), path)];
        string[] failed = [.. changes.Where(c => c.Problem is not null).Select(c => c.Name)];
        (IReadOnlyList<WrittenFile> files, IReadOnlyList<string> problems) = options.Persist
            ? DropIns.Write(tuning.Context, options.Only, failed)
            : ([], []);
        if (files.Count != 0)
            unkept = [.. Keep(UndoFile.Of(tuning.Context, changes, files), path)];
        else if (!changes.Any(c => c.IsDone))
            return new ApplyJson(plan, changes, null, [], [.. problems, .. UndoFile.Remove(path)]);
        return new ApplyJson(plan, changes, path, [.. files.Select(f => f.Path)], [.. problems, .. unkept]);
    }

    /// <summary>The settings are made by now: what cannot be written is one problem more, not the end.</summary>
    private static IEnumerable<string> Keep(UndoFile undo, string path)
    {
        try
        {
            undo.Replace(path);
            return [];
        }
        catch (TuningException e)
        {
            return [e.Message];
        }
    }

    private static async Task<bool> AskAsync(IReadOnlyList<PlannedChange> plan, CancellationToken cancel)
    {
        if (!Terminal.CanAsk)
            return false;
        foreach (PlannedChange change in plan)
            Console.Error.WriteLine($"  {change.Command}  # is {string.Join(' ', new Reading(change.Before, null).Words)}");
        var question = new ConfirmationPrompt("Set these?") { DefaultValue = false };
        return await question.ShowAsync(Terminal.Error, cancel).ConfigureAwait(false);
    }

    private static int End(ApplyOptions options, ApplyJson result)
    {
        if (options.Json)
            Console.Out.WriteLine(JsonText.Write(result));
        else
            Print(result);
        bool all = result.Problems.Count == 0 && result.Changes.All(c => c.Problem is null);
        return all ? CheckExit.Good : CheckExit.Advice;
    }

    private static void Print(ApplyJson result)
    {
        foreach (string problem in result.Problems)
            Console.Error.WriteLine(problem);
        if (result is { Undo: null, Changes.Count: 0 })
        {
            foreach (PlannedChange change in result.Plan)
                Console.Out.WriteLine(change.Command);
            if (result.Plan.Count == 0)
                Console.Out.WriteLine("everything that can be set is as it should be");
            return;
        }

        foreach (Change change in result.Changes)
            Console.Out.WriteLine(Describe(change));
        foreach (string path in result.Persisted)
            Console.Out.WriteLine($"wrote {path}");
        Console.Out.WriteLine(result.Undo is null ? "nothing was changed" : $"undo: tunnelctl check --revert {result.Undo}");
    }

    internal static string Describe(Change change) => change switch
    {
        { Problem: { } problem } => $"{change.Name}: not set: {problem}",
        _ when change.Before == change.After => $"{change.Name}: is {Words(change.After)} already",
        _ => $"{change.Name}: {Words(change.Before)} -> {Words(change.After)}",
    };

    private static string Words(string text) => string.Join(' ', new Reading(text, null).Words) is { Length: > 0 } words ? words : "(nothing)";
}

/// <summary>What --apply was given.</summary>
internal sealed record ApplyOptions(string? Only, bool Yes, string? UndoPath, bool Persist, bool Json);

/// <summary>What --apply --json prints. Schema 1.</summary>
/// <param name="Plan">What was to be changed.</param>
/// <param name="Changes">What was; empty when it was not tried.</param>
/// <param name="Undo">The file that undoes it; null when nothing was changed.</param>
/// <param name="Persisted">The files that set it again at the next start.</param>
/// <param name="Problems">What could not be done besides the changes' own.</param>
internal sealed record ApplyJson(
    IReadOnlyList<PlannedChange> Plan,
    IReadOnlyList<Change> Changes,
    string? Undo,
    IReadOnlyList<string> Persisted,
    IReadOnlyList<string> Problems)
{
    public int Schema { get; } = 1;
}
