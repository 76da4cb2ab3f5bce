namespace Tunnel.Ctl.Check.Setting;

/// <summary>check --revert: sets back what an --apply set.</summary>
internal static class RevertRun
{
    public static int Run(KernelFiles files, IHostCalls calls, string path, bool json)
    {
        UndoFile undo = UndoFile.Read(path);
        CheckContext context = CheckContext.ForSetting(files, calls, TuningProfile.Throughput, undo.Interface);
        (IReadOnlyList<WrittenFile> undone, IReadOnlyList<string> problems) = DropIns.Revert(context, undo.Files);
        IReadOnlyList<Change> changes = new Tuning(context).Revert(undo.Changes);
        if (json)
            Console.Out.WriteLine(JsonText.Write(new RevertJson(changes, [.. undone.Select(f => f.Path)], problems)));
        else
            Print(changes, undone, problems);
        return problems.Count == 0 && changes.All(c => c.Problem is null) ? CheckExit.Good : CheckExit.Advice;
    }

    private static void Print(IReadOnlyList<Change> changes, IReadOnlyList<WrittenFile> files, IReadOnlyList<string> problems)
    {
        foreach (Change change in changes)
            Console.Out.WriteLine(ApplyRun.Describe(change));
        foreach (WrittenFile file in files)
            Console.Out.WriteLine(file.Before is null ? $"removed {file.Path}" : $"put back {file.Path}");
        foreach (string problem in problems)
            Console.Error.WriteLine(problem);
    }
}

/// <summary>What --revert --json prints. Schema 1.</summary>
internal sealed record RevertJson(IReadOnlyList<Change> Changes, IReadOnlyList<string> Files, IReadOnlyList<string> Problems)
{
    public int Schema { get; } = 1;
}
